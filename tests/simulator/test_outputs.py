"""The media origin: real media at signed addresses, and everything that can be wrong with a download."""

import io

import av
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
