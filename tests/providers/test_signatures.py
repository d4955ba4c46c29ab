"""Signatures of hooks: the forms that the pages tell of, and all that comes near to one."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from rushes.providers.signatures import key_of, signature, signed_delivery

# The example that the specification of Standard Webhooks and its libraries have in common; Replicate signs so.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
THEN = datetime.fromtimestamp(1614265330, UTC)


def told(headers: dict[str, str] | None = None, body: bytes = BODY, now: datetime = THEN) -> str | None:
    return signed_delivery({**HEADERS, **(headers or {})}, body, key_of(SECRET), now)


def test_the_published_example_is_right() -> None:
    assert told() == HEADERS["webhook-id"]


def test_one_right_signature_among_several_is_enough_as_while_a_secret_is_changed() -> None:
    several = f"v1,AAAA v1a,BBBB {HEADERS['webhook-signature']} v2,CCCC"
    assert told({"webhook-signature": several}) == HEADERS["webhook-id"]


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": "1614265331"},
        {"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF="},
        {"webhook-signature": HEADERS["webhook-signature"].removeprefix("v1,")},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1,x " * 1000 + HEADERS["webhook-signature"]},
        {"webhook-id": ""},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "1614265330.0"},
        {"webhook-timestamp": "٣"},
        {"webhook-timestamp": "9" * 400},
    ],
)
def test_whatever_was_changed_of_the_headers_is_wrong(change: dict[str, str]) -> None:
    assert told(change) is None


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_missing_is_wrong(name: str) -> None:
    headers = {key: value for key, value in HEADERS.items() if key != name}
    assert signed_delivery(headers, BODY, key_of(SECRET), THEN) is None


@pytest.mark.parametrize("body", [b'{"test":2432232314}', b"", BODY + b"\n", b"\xff" + BODY])
def test_the_signature_is_of_the_raw_body(body: bytes) -> None:
    assert told(body=body) is None


@pytest.mark.parametrize(
    ("minutes", "right"), [(4.9, True), (-4.9, True), (5.1, False), (-5.1, False), (-60 * 24, False)]
)
def test_five_minutes_either_way_are_now(minutes: float, right: bool) -> None:
    assert (told(now=THEN + timedelta(minutes=minutes)) is not None) is right


def test_llmgateways_key_is_the_secret_itself_even_where_it_looks_encoded() -> None:
    signed = b"evt_video_1.1614265330." + BODY
    by_hand = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert signature("evt_video_1", "1614265330", BODY, SECRET.encode()) == f"v1,{by_hand}"
    headers = {"webhook-id": "evt_video_1", "webhook-timestamp": "1614265330", "webhook-signature": f"v1,{by_hand}"}
    assert signed_delivery(headers, BODY, SECRET.encode(), THEN) == "evt_video_1"
    assert signed_delivery(headers, BODY, key_of(SECRET), THEN) is None


@pytest.mark.parametrize("secret", ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_no base64!"])
def test_a_secret_of_another_form_is_named(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        key_of(secret)
