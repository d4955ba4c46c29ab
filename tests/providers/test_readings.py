"""Reading gateways' JSON in every form in which they write it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from rushes.providers.client.reply import WAIT_LIMIT_SECONDS, parse_body, retry_after
from rushes.providers.formats.readings import (
    OUTPUTS_MAX,
    expiry_of,
    parse_moment,
    parse_number,
    parse_progress,
    remote_outputs,
    urls_in,
)
from rushes.providers.formats.reasons import reason_in

from .replies import NOW, reply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
MOMENT = datetime(2024, 5, 20, 7, 48, 44, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        1716191324,
        1716191324000,
        "1716191324",
        "1716191324000",
        1716191324.0,
        "2024-05-20T07:48:44Z",
        "2024-05-20T07:48:44+00:00",
        "2024-05-20T09:48:44+02:00",
        "2024-05-20T07:48:44",
    ],
)
def test_a_time_is_seconds_milliseconds_or_iso(value: object) -> None:
    assert parse_moment(value) == MOMENT


@pytest.mark.parametrize("value", [0, "0", "", None, True, "soon", -5, "0001-01-01T00:00:00Z", 1e300, [], "9" * 40])
def test_zero_and_nonsense_are_no_time(value: object) -> None:
    assert parse_moment(value) is None


@pytest.mark.parametrize(
    ("value", "progress"),
    [
        ("100%", 1),
        ("0%", 0),
        ("87%", 0.87),
        ("87", 0.87),
        (87, 0.87),
        (150, 1),
        (-3, 0),
        ("almost", None),
        (None, None),
    ],
)
def test_progress_is_a_percentage_in_any_form(value: object, progress: float | None) -> None:
    assert parse_progress(value) == progress


@given(JSON)
def test_no_value_is_too_odd_to_read(value: JsonValue) -> None:
    parse_moment(value)
    progress = parse_progress(value)
    assert progress is None or 0 <= progress <= 1
    parse_number(value)
    for url in urls_in(value):
        remote_outputs([url], NOW)


def test_urls_are_merged_in_order_without_empty_ones_and_repetitions() -> None:
    data: JsonValue = {
        "output": "",
        "outputs": ["https://a/1", "", "https://a/2", "https://a/1"],
        "n": 5,
        "x": ["plain"],
    }
    assert urls_in(data) == ["https://a/1", "https://a/2"]
    assert urls_in({"file": "/v1/files/1", "other": "//host/x", "text": "a/b"}) == ["/v1/files/1"]


def test_a_url_of_another_scheme_is_an_output_that_is_refused_when_it_is_fetched() -> None:
    assert urls_in(["file:///etc/passwd", "ftp://a/b", "Note: done"]) == ["file:///etc/passwd", "ftp://a/b"]


def test_thousands_of_outputs_are_cut() -> None:
    assert len(urls_in([f"https://a/{n}" for n in range(5000)])) == OUTPUTS_MAX


@pytest.mark.parametrize("url", ["data:text/plain,hello", "data:image/png;base64,a", "https://a/" + "x" * 9000])
def test_what_cannot_be_an_output_is_left_out(url: str) -> None:
    assert remote_outputs([url], NOW) == ()


def test_a_data_url_becomes_its_bytes() -> None:
    (output,) = remote_outputs(["data:image/png;base64,aGVsbG8="], NOW)
    assert (output.content, output.mime_type, output.url) == (b"hello", "image/png", None)


@pytest.mark.parametrize(
    ("query", "moment"),
    [
        ("e=1778427598&token=abc:def", datetime.fromtimestamp(1778427598, UTC)),
        ("Expires=1778427598&Signature=x", datetime.fromtimestamp(1778427598, UTC)),
        ("OSSAccessKeyId=1&Expires=1778427598", datetime.fromtimestamp(1778427598, UTC)),
        ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600", datetime(2026, 1, 1, 1, tzinfo=UTC)),
        ("X-Goog-Date=20260101T000000Z&X-Goog-Expires=60", datetime(2026, 1, 1, 0, 1, tzinfo=UTC)),
        ("x-tos-date=20260101T000000Z&x-tos-expires=60", datetime(2026, 1, 1, 0, 1, tzinfo=UTC)),
        ("sv=1&se=2026-01-01T02%3A00%3A00Z&sig=x", datetime(2026, 1, 1, 2, tzinfo=UTC)),
        ("q-sign-time=1778420000;1778427598", datetime.fromtimestamp(1778427598, UTC)),
        ("v=3", None),
        ("X-Amz-Date=junk&X-Amz-Expires=3600", None),
        ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=1e99", None),
        ("e=mc2", None),
        ("", None),
    ],
)
def test_a_signed_urls_expiry_is_read_from_its_query(query: str, moment: datetime | None) -> None:
    assert expiry_of(f"https://cdn.example/v.mp4?{query}") == moment


def test_a_lifetime_counts_where_the_query_tells_none() -> None:
    (output,) = remote_outputs(["https://cdn.example/v.mp4"], NOW, lifetime=timedelta(days=15))
    assert output.expires_at == NOW + timedelta(days=15)
    assert expiry_of("https://[broken") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Your prompt violates our content policy", "content_violation"),
        ("内容违规", "content_violation"),
        ("Insufficient credits", "insufficient_credits"),
        ("余额不足", "insufficient_credits"),
        ("generation timed out", "timeout"),
        ("任务超时", "timeout"),
        ("Too many requests", "rate_limited"),
        ("failed to download image", "invalid_media"),
        ("图片无法访问", "invalid_media"),
        ("segfault", None),
    ],
)
def test_a_free_text_gives_a_reason_by_its_words(text: str, reason: str | None) -> None:
    assert reason_in(text) == reason


@pytest.mark.parametrize(
    ("headers", "prose", "seconds"),
    [
        ({"retry-after": "7"}, "", 7),
        ({"retry-after": "0.5"}, "", 0.5),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT"}, "", 30),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT", "date": "Fri, 20 Nov 2026 12:00:10 GMT"}, "", 20),
        ({"retry-after": "Fri, 20 Nov 2026 11:00:00 GMT"}, "", 0),
        ({"retry-after": "99999999999"}, "", WAIT_LIMIT_SECONDS),
        ({"retry-after": "soon"}, "", None),
        ({"ratelimit-reset": "12"}, "", 12),
        ({"ratelimit": '"default";r=0;t=9'}, "", 9),
        ({"ratelimit": "limit=10, remaining=0, reset=8"}, "", 8),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 40)}, "", 40),
        ({"x-ratelimit-reset": str((int(NOW.timestamp()) + 40) * 1000)}, "", 40),
        ({}, "You have exceeded the rate limit. Please retry after 60 seconds.", 60),
        ({}, "Your rate limit resets in ~30s.", 30),
        ({}, "try again in 2 minutes", 120),
        ({}, "Retry after 1500 ms", 1.5),
        ({}, "please wait for 1 hour", 3600),
        ({}, "slow down", None),
        ({"retry-after": "5"}, "retry after 60 seconds", 5),
    ],
)
def test_the_wish_to_wait_is_found_in_headers_and_prose(
    headers: dict[str, str], prose: str, seconds: float | None
) -> None:
    assert retry_after(reply(None, 429, headers), prose) == seconds


def test_rate_limit_headers_of_a_success_are_no_wish_to_wait() -> None:
    assert retry_after(reply(None, 200, {"ratelimit-reset": "12"})) is None
    assert retry_after(reply(None, 200, {"retry-after": "5"})) == 5


@given(
    st.dictionaries(st.sampled_from(["retry-after", "ratelimit", "x-ratelimit-reset", "date"]), st.text()), st.text()
)
def test_no_header_or_prose_is_too_odd(headers: dict[str, str], prose: str) -> None:
    seconds = retry_after(reply(None, 429, headers), prose)
    assert seconds is None or 0 <= seconds <= WAIT_LIMIT_SECONDS


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>", b'{"a":', b"NaN", b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"\xff\xfe"],
)
def test_what_is_no_json_stays_bytes(data: bytes) -> None:
    assert parse_body("application/json", data) == data


def test_half_an_emoji_does_not_make_a_reply_unreadable() -> None:
    assert parse_body("application/json", b'{"fail_reason":"oops \\ud83d"}') == {"fail_reason": "oops \ufffd"}
    assert parse_body("application/json", b'{"fail_reason":"\\ude00 \\ud83d\\ude00"}') == {
        "fail_reason": "\ufffd \U0001f600"
    }


def test_a_byte_order_mark_does_not_hide_json() -> None:
    assert parse_body("application/json", b'\xef\xbb\xbf{"id": "1"}') == {"id": "1"}


def test_media_are_never_parsed() -> None:
    assert parse_body("audio/wav", b"123") == b"123"
    assert parse_body("text/plain", b"123") == 123
