"""The media origin: real media at signed addresses, and everything that can be wrong with a download."""

import io

import anyio
import av
import httpx
import pytest

from tests.gateways.client import RunningGateways

from .caller import Caller, text_at

pytestmark = pytest.mark.anyio


@pytest.fixture
def routeany(gateways: RunningGateways) -> Caller:
    return Caller(gateways, "routeany")


async def output_url(routeany: Caller, prompt: str, model: str = "google/veo-3.1", **inputs: str | int) -> str:
    answer = await routeany.post(
        f"/v1/models/{model}/predictions", {"input": {"prompt": f"[polls:0] {prompt}", **inputs}}
    )
    done = await routeany.get(f"/v1/predictions/{text_at(answer.json(), 'id')}")
    return text_at(done.json(), "output")


async def test_a_video_is_real_and_as_asked_for(routeany: Caller, gateways: RunningGateways) -> None:
    url = await output_url(routeany, "a cat", aspect_ratio="9:16", duration=6)
    content = (await gateways.http.get(url)).content
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, container.duration) == ("h264", 6_000_000)
        assert stream.height > stream.width


@pytest.mark.parametrize(
    ("model", "magic"), [("google/nano-banana", b"\x89PNG"), ("openai/tts-1", b"RIFF"), ("openai/sora-2", b"\0\0\0")]
)
async def test_the_model_s_name_decides_the_medium(
    routeany: Caller, gateways: RunningGateways, model: str, magic: bytes
) -> None:
    content = (await gateways.http.get(await output_url(routeany, "a cat", model))).content
    assert content.startswith(magic)


async def test_an_address_works_only_with_its_query_and_until_it_expires(
    routeany: Caller, gateways: RunningGateways
) -> None:
    url = await output_url(routeany, "a cat")
    expired = await output_url(routeany, "[output-expires-in:-5]")
    assert "X-Amz-Expires=" in url
    assert (await gateways.http.get(url)).status_code == 200
    assert (await gateways.http.get(url.partition("?")[0])).status_code == 403
    assert (await gateways.http.get(expired)).status_code == 403
    assert [found.kind for found in await gateways.violations()] == ["query-changed"]


@pytest.mark.parametrize("header", ["Authorization", "x-api-key"])
async def test_a_key_that_arrives_at_the_media_origin_is_recorded(
    routeany: Caller, gateways: RunningGateways, header: str
) -> None:
    await gateways.http.get(await output_url(routeany, "a cat"), headers={header: routeany.key})
    assert [fetch.authorization for fetch in await gateways.fetches()] == ["valid"]
    assert [found.kind for found in await gateways.violations()] == ["key-elsewhere"]


async def test_a_part_can_be_asked_for(routeany: Caller, gateways: RunningGateways) -> None:
    url = await output_url(routeany, "a cat")
    whole = (await gateways.http.get(url)).content
    part = await gateways.http.get(url, headers={"Range": "bytes=10-19"})
    rest = await gateways.http.get(url, headers={"Range": "bytes=100-"})
    outside = await gateways.http.get(url, headers={"Range": "bytes=99999999-"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert (rest.content, outside.status_code) == (whole[100:], 416)


@pytest.mark.parametrize(
    ("word", "status", "content_type"),
    [
        ("output-404", 404, "application/xml"),
        ("output-410", 410, "application/xml"),
        ("output-http:503", 503, "application/xml"),
        ("output-expired", 403, "text/xml"),
        ("output-html", 200, "text/html"),
        ("output-json", 200, "application/json"),
        ("output-wrong-type", 200, "application/octet-stream"),
        ("output-needs-key", 401, ""),
    ],
)
async def test_a_bad_download_comes_once_and_then_the_medium(
    routeany: Caller, gateways: RunningGateways, word: str, status: int, content_type: str
) -> None:
    url = await output_url(routeany, f"[{word}]")
    bad, good = await gateways.http.get(url), await gateways.http.get(url)
    assert (bad.status_code, bad.headers.get("content-type", "").partition(";")[0]) == (status, content_type)
    assert (good.status_code, good.headers["content-type"]) == (200, "video/mp4")


async def test_a_truncated_download_breaks_or_ends_too_early(routeany: Caller, gateways: RunningGateways) -> None:
    breaking = await output_url(routeany, "[output-truncated]")
    short = await output_url(routeany, "[output-cut-short]")
    empty = await output_url(routeany, "[output-empty]")
    with pytest.raises(httpx.RemoteProtocolError):
        await gateways.http.get(breaking)
    half = await gateways.http.get(short)
    assert (half.status_code, "content-length" in half.headers) == (200, False)
    assert 0 < len(half.content) < len((await gateways.http.get(short)).content)
    assert (await gateways.http.get(empty)).content == b""


@pytest.mark.parametrize(
    ("word", "location"),
    [
        ("output-redirect-private", "http://169.254.169.254/"),
        ("output-redirect-private:10.1.2.3", "http://10.1.2.3/"),
        ("output-redirect-file", "file:///"),
    ],
)
async def test_a_redirect_leads_where_nobody_should_go(
    routeany: Caller, gateways: RunningGateways, word: str, location: str
) -> None:
    answer = await gateways.http.get(await output_url(routeany, f"[{word}]"))
    assert answer.headers["location"].startswith(location)


async def test_a_loop_never_ends_and_a_move_leads_to_the_medium(routeany: Caller, gateways: RunningGateways) -> None:
    loop = await output_url(routeany, "[output-redirect-loop:forever]")
    moved = await output_url(routeany, "[output-moved]")
    with pytest.raises(httpx.TooManyRedirects):
        await gateways.http.get(loop, follow_redirects=True)
    assert (await gateways.http.get(moved, follow_redirects=True)).content[4:8] == b"ftyp"


async def test_an_enormous_download_begins_like_a_video(routeany: Caller, gateways: RunningGateways) -> None:
    url = await output_url(routeany, "[output-huge]")
    received = 0
    with anyio.fail_after(20):
        async with gateways.http.stream("GET", url) as answer:
            async for piece in answer.aiter_bytes():
                received += len(piece)
                if received > 5_000_000:
                    break
    assert received > 5_000_000


async def test_a_claimed_terabyte_and_an_evil_file_name_stand_in_the_head(
    routeany: Caller, gateways: RunningGateways
) -> None:
    claims = await output_url(routeany, "[output-claims-huge]")
    async with gateways.http.stream("GET", claims) as answer:
        assert answer.headers["content-length"] == str(10**12)
    evil = await gateways.http.get(await output_url(routeany, "[output-evil-name]"))
    assert "../.." in evil.headers["content-disposition"]


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("file", "file:///"),
        ("ftp", "ftp://"),
        ("data", "data:video/mp4;base64,"),
        ("private", "http://169.254.169.254/"),
        ("relative", "/routeany/"),
        ("other", "the video"),
    ],
)
async def test_a_result_address_comes_in_forms_that_need_judgement(routeany: Caller, form: str, start: str) -> None:
    assert (await output_url(routeany, f"[output-address:{form}]")).startswith(start)


@pytest.mark.parametrize("word", ["output-gzip-bomb", "output-slow-drip:0.01"])
async def test_a_download_can_swell_or_trickle(routeany: Caller, gateways: RunningGateways, word: str) -> None:
    url = await output_url(routeany, f"[{word}]")
    raw, received = 0, 0
    with anyio.fail_after(20):
        async with gateways.http.stream("GET", url) as answer:
            async for piece in answer.aiter_bytes():
                raw, received = answer.num_bytes_downloaded, received + len(piece)
                if received >= (20 if "drip" in word else 20_000_000):
                    break
    assert raw < received / 100 if "bomb" in word else received == 20


async def test_a_job_can_have_thousands_of_outputs(routeany: Caller) -> None:
    answer = await routeany.post(
        "/v1/models/google/veo-3.1/predictions", {"input": {"prompt": "[polls:0][outputs:5000]"}}
    )
    done: dict[str, list[str]] = (await routeany.get(f"/v1/predictions/{text_at(answer.json(), 'id')}")).json()
    assert len(set(done["output"])) == 5000
