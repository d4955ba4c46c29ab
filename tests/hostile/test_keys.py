"""A gateway that repeats the key: it is shown and stored nowhere, in whatever letters, and what is fetched keeps it."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from rushes.domain.errors import OutputError, SubmissionRefused
from rushes.domain.failure import clean_text
from rushes.domain.job import KEY_STAND_IN as STAND_IN
from rushes.domain.job import RemoteOutput
from rushes.providers.client.downloads import OutputClient
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.client.redaction import Redaction
from rushes.providers.registry import build_provider

from ..providers import replies
from ..providers.replies import job, plan_of
from ..providers.requests import request
from .server import Server, redirect, serving, whole

pytestmark = pytest.mark.anyio

KEY = "sk-very/secret+0123456789"
JOB = job("pred_1", "google/veo-3.1")


def _all_percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": lambda key: quote(key, safe=""),
    "percent-encoded in small letters": lambda key: quote(key, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
    "percent-encoded in whole": _all_percent,
    "percent-encoded twice": lambda key: quote(quote(key, safe=""), safe=""),
    "JSON in JSON": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "JSON in JSON by numbers": lambda key: "".join(f"\\u{ord(letter):04x}" for letter in key),
    "hexadecimal": lambda key: key.encode().hex(),
    "hexadecimal in capitals": lambda key: key.encode().hex().upper(),
    "HTML by numbers": lambda key: "".join(f"&#{ord(letter)};" for letter in key),
    "HTML": lambda key: html.escape(key).replace("+", "&#x2B;"),
    "HTML by numbers without an end": lambda key: "".join(f"&#{ord(letter)}" for letter in key),
    "HTML by names": lambda key: key.replace("/", "&sol;").replace("+", "&plus;"),
    "percent-encoded as once in browsers": lambda key: "".join(f"%u{ord(letter):04x}" for letter in key),
    "octal": lambda key: "".join(f"\\{ord(letter):03o}" for letter in key),
    "in braces": lambda key: "".join(f"\\u{{{ord(letter):x}}}" for letter in key),
    "with eight digits": lambda key: "".join(f"\\U{ord(letter):08x}" for letter in key),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
    "base64 of a bearer": lambda key: base64.b64encode(f"Bearer {key}".encode()).decode(),
    "base64 of user and key": lambda key: base64.b64encode(f"me:{key}".encode()).decode(),
    "base64 of key and more": lambda key: base64.b64encode(f"u:{key}:x".encode()).decode(),
}
FORMS = pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)


def provider(server: Server) -> HttpProvider:
    configured = replies.settings("routeany", base_url=server.url)
    made = build_provider(configured.model_copy(update={"api_key": SecretStr(KEY)}))
    assert isinstance(made, HttpProvider)
    return made


def keyed(head: str) -> bool:
    return "authorization:" in head.lower()


@FORMS
async def test_a_key_in_an_error_is_not_told_on(written: Callable[[str], str]) -> None:
    said = written(KEY)
    body = json.dumps({"detail": f"no such key: {said}", "code": "X"}).replace("/", "\\/").encode()
    with serving(lambda _: whole(body, "401 Unauthorized")) as server:
        made = provider(server)
        with pytest.raises(SubmissionRefused) as caught:
            await made.submit(plan_of("routeany", request(), "veo-3.1"))
        await made.aclose()
    assert said not in caught.value.message
    assert "no such key: " in caught.value.message
    assert "[key]" in caught.value.message


@pytest.mark.parametrize(
    "escaped", [json.dumps(KEY).replace("/", "\\/"), '"' + WRITTEN["JSON in JSON by numbers"](KEY) + '"']
)
async def test_a_key_that_only_parsing_brings_to_light_is_not_told_on(escaped: str) -> None:
    body = f'{{"detail": {escaped}, "code": "X"}}'.encode()
    with serving(lambda _: whole(body, "401 Unauthorized")) as server:
        made = provider(server)
        with pytest.raises(SubmissionRefused) as caught:
            await made.submit(plan_of("routeany", request(), "veo-3.1"))
        await made.aclose()
    assert KEY not in caught.value.message


ADDRESSES = {name: WRITTEN[name] for name in WRITTEN if "JSON" not in name and "HTML" not in name}


@pytest.mark.parametrize("written", ADDRESSES.values(), ids=ADDRESSES)
async def test_a_key_in_the_address_of_a_result_is_not_shown_and_still_fetched_with(
    written: Callable[[str], str],
) -> None:
    def answers(server: Server) -> Callable[[str], list[bytes]]:
        url = f"{server.url}/v.mp4?a=1&key={written(KEY)}&b=2"
        told = {"id": "pred_1", "status": "succeeded", "output": url}
        return lambda head: whole(json.dumps(told).encode()) if "/predictions/" in head else whole(b"movie")

    with serving(answers=answers) as server:
        made = provider(server)
        (output,) = (await made.poll(JOB)).outputs
        assert output.url is not None
        assert STAND_IN in output.url
        assert written(KEY) not in output.url
        # As the task's record is stored and read again.
        stored = RemoteOutput.model_validate_json(output.model_dump_json())
        async with made.open_output(stored) as stream:
            assert b"".join([chunk async for chunk in stream]) == b"movie"
        await made.aclose()
    fetched = server.paths[-1].removeprefix("GET ")
    exact = f"/v.mp4?a=1&key={written(KEY)}&b=2"
    assert fetched == exact or fetched == f"/v.mp4?a=1&key={quote(KEY, safe='')}&b=2"


async def test_the_stand_in_of_a_stranger_is_not_made_the_key() -> None:
    def answers(server: Server) -> Callable[[str], list[bytes]]:
        told = {"id": "pred_1", "status": "succeeded", "output": f"{server.url}/v.mp4?q={STAND_IN}"}

        def answer(head: str) -> list[bytes]:
            if "/predictions/" in head:
                return whole(json.dumps(told).encode())
            return redirect(f"/other?q={STAND_IN}") if "/v.mp4" in head else whole(b"movie")

        return answer

    with serving(answers=answers) as server:
        made = provider(server)
        (output,) = (await made.poll(JOB)).outputs
        async with made.open_output(output):
            pass
        await made.aclose()
    assert not any("secret" in path for path in server.paths)
    assert server.paths[-1] == f"GET /other?q={STAND_IN}"


@settings(max_examples=25)
@given(st.text(alphabet="abc123-_/+.~", min_size=8, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_whatever_the_key_is_it_is_in_no_text(key: str, before: str, after: str) -> None:
    redaction = Redaction(key)
    for written in (str, _all_percent, WRITTEN["percent-encoded"], WRITTEN["JSON in JSON by numbers"]):
        assert written(key) not in redaction.text(f"{before}{written(key)}{after}")
    assert redaction.restored(redaction.text(f"https://h/?k={quote(key)}")) == f"https://h/?k={quote(key)}"


@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\U000e0041", "\ufe0f\u2060"])
@FORMS
def test_characters_that_nobody_sees_do_not_hide_the_key_until_they_are_taken_out(
    written: Callable[[str], str], unseen: str
) -> None:
    said, redaction = written(KEY), Redaction(KEY)
    hidden = f"no such key: {said[:9]}{unseen}{said[9:-3]}{unseen}{said[-3:]}"
    assert said not in clean_text(redaction.text(hidden))
    assert said not in clean_text(redaction.text(f"https://h.example/?k={hidden[13:]}"))
    told = redaction.body(hidden.encode())
    assert isinstance(told, bytes)
    assert said not in clean_text(told.decode())


@pytest.mark.parametrize("cut", ["\n", "\r\n ", "\x00", "\x1b", "\\n", "\\\\n"])
@FORMS
def test_a_key_that_is_broken_over_lines_is_found_in_all_its_parts(written: Callable[[str], str], cut: str) -> None:
    said, redaction = written(KEY), Redaction(KEY)
    half = 8 * (len(said) // 16)
    shown = clean_text(redaction.text(f"no such key: {said[:half]}{cut}{said[half:]} of yours"))
    assert "[key]" in shown
    assert said[4:half] not in shown
    assert said[half:-4] not in shown


def test_lines_of_base64_as_in_a_mail_do_not_hold_the_key() -> None:
    lines = base64.encodebytes(b"Authorization: Bearer ".rjust(47) + KEY.encode()).decode()
    shown = Redaction(KEY).text(f"sent:\n{lines}")
    assert "[key]" in shown
    assert lines.split()[1][:-4] not in shown


def test_lines_beside_the_key_stay_lines() -> None:
    assert Redaction(KEY).text(f"first\nsecond {KEY}\nthird") == "first\nsecond [key]\nthird"


def test_what_hides_nothing_stays_as_it_is() -> None:
    text = "a family \U0001f468\u200d\U0001f469\u200d\U0001f467 and a soft\u00adhyphen"
    assert Redaction(KEY).text(text) == text


@pytest.mark.parametrize("before", range(256 * 1024 - len(KEY) - 1, 256 * 1024 + 2, 7))
def test_a_key_anywhere_in_a_very_long_text_is_found(before: int) -> None:
    text = f"{'a' * before}{KEY}{'b' * 100}"
    assert KEY not in Redaction(KEY).text(text)


def test_names_numbers_and_lists_of_a_reply_are_gone_through() -> None:
    redaction = Redaction(KEY)
    assert redaction.json({KEY: [1, None, {"a b": f"x {KEY}"}], "n": True}) == {
        STAND_IN: [1, None, {"a b": "x [key]"}],
        "n": True,
    }


def test_the_bytes_of_a_text_that_is_no_json_are_gone_through_and_others_stay_as_they_are() -> None:
    redaction = Redaction(KEY)
    assert redaction.body(f"bad key {_all_percent(KEY)}".encode()) == b"bad key [key]"
    binary = bytes(range(256)) * 2000
    assert redaction.body(binary) == binary


async def test_a_host_with_the_key_in_its_name_is_not_named() -> None:
    key = "sk-very-secret-0123456789"
    outputs = OutputClient("https://gateway.invalid", key)
    with pytest.raises(OutputError) as caught:
        async with outputs.open(RemoteOutput(url=f"https://{STAND_IN}.evil.invalid/v.mp4")):
            pass
    assert "secret" not in caught.value.message


async def test_a_redirect_back_to_the_gateway_comes_without_the_key() -> None:
    """A store that the gateway redirects to may not say to which of the gateway's paths the key goes."""

    def answer(head: str) -> list[bytes]:
        if "/content" in head:
            return redirect(f"{cdn.url}/v.mp4")
        return whole(b"everything", "401 Unauthorized" if not keyed(head) else "200 OK")

    with serving(answers=lambda _: answer) as gateway, serving(lambda _: redirect(f"{gateway.url}/account")) as cdn:
        outputs = OutputClient(gateway.url, KEY)
        output = RemoteOutput(url=f"{gateway.url}/v1/videos/1/content", authenticated=True)
        with pytest.raises(OutputError):
            async with outputs.open(output):
                pass
        with pytest.raises(OutputError):
            async with outputs.open(RemoteOutput(url=f"{cdn.url}/v.mp4")):
                pass
        await outputs.aclose()
    assert [keyed(head) for head in gateway.heads] == [True, False, False]
    assert not any(map(keyed, cdn.heads))
