"""Results that lie inside the network: from a gateway on loopback only its own, and link-local never."""

import httpx
import pytest

from rushes.domain.errors import OutputRejected
from rushes.domain.job import RemoteOutput
from rushes.providers.client.downloads import OutputClient
from rushes.providers.client.reach import Reach

pytestmark = pytest.mark.anyio

NAMES = {
    "gateway.invalid": ["93.184.216.34"],
    "metadata.invalid": ["169.254.169.254"],
    "both.invalid": ["93.184.216.34", "169.254.169.254"],
    "lan.invalid": ["192.168.1.5"],
    "localhost": ["::1", "127.0.0.1"],
}


async def resolve(host: str, port: int) -> list[str]:
    return NAMES.get(host, [host])


async def fetched(base: str, url: str, *result_origins: str) -> str | None:
    """The address that a result at `url` is fetched from; `None` where it is refused before any request."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=b"movie")

    outputs = OutputClient(
        base, "sk-0123456789", result_origins=result_origins, transport=httpx.MockTransport(answer), resolve=resolve
    )
    try:
        async with outputs.open(RemoteOutput(url=url)):
            pass
    except OutputRejected:
        assert asked == []
        return None
    return asked[0].url.host


ON_LOOPBACK = "http://127.0.0.1:4000/v1"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:4000/any.mp4", "127.0.0.1"),
        ("http://127.0.0.1:40123/media.mp4", "127.0.0.1"),
        ("http://localhost:4000/any.mp4", "127.0.0.1"),
        ("https://gateway.invalid/v.mp4", "93.184.216.34"),
        ("http://127.0.0.1:6379/", None),
        ("http://127.0.0.1:80/", None),
        ("http://127.0.0.2:4000/", None),
        ("http://[::1]:4000/", None),
        ("http://0.0.0.0:4000/", None),
        ("http://10.0.0.5:4000/", None),
        ("http://192.168.1.1/", None),
        ("http://lan.invalid:4000/", None),
    ],
)
async def test_a_gateway_on_loopback_gives_results_from_that_very_host_only(url: str, address: str | None) -> None:
    assert await fetched(ON_LOOPBACK, url) == address


@pytest.mark.parametrize(
    "base", ["https://gateway.invalid", ON_LOOPBACK, "http://192.168.1.2:8000", "http://169.254.3.4:8000"]
)
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/v.mp4",
        "http://[::ffff:169.254.169.254]/v.mp4",
        "http://[64:ff9b::a9fe:a9fe]/v.mp4",
        "http://metadata.invalid/v.mp4",
        "http://both.invalid/v.mp4",
    ],
)
async def test_a_link_local_address_is_never_fetched_from(base: str, url: str) -> None:
    assert await fetched(base, url) is None
    assert await fetched(base, url, url.rpartition("/")[0].replace("/latest", "")) is None


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://192.168.1.9:9000/v.mp4", "192.168.1.9"),
        ("http://lan.invalid/v.mp4", "192.168.1.5"),
        ("http://127.0.0.1:9000/v.mp4", None),
        ("http://[::1]:9000/v.mp4", None),
        ("http://0.0.0.0/v.mp4", None),
        ("http://224.0.0.1/v.mp4", None),
    ],
)
async def test_a_gateway_in_the_local_network_gives_results_from_there_and_not_from_this_machine(
    url: str, address: str | None
) -> None:
    assert await fetched("http://192.168.1.2:8000", url) == address


async def test_an_origin_that_the_configuration_names_may_give_results() -> None:
    url = "http://127.0.0.1:9000/v.mp4"
    assert await fetched(ON_LOOPBACK, url) is None
    assert await fetched(ON_LOOPBACK, url, "http://127.0.0.1:9000") == "127.0.0.1"
    assert await fetched(ON_LOOPBACK, url, "https://127.0.0.1:9000", "http://127.0.0.1:9001") is None
    assert await fetched("https://gateway.invalid", url, "http://127.0.0.1:9000") == "127.0.0.1"


def test_the_gateways_own_origin_is_scheme_host_and_port() -> None:
    reach = Reach(httpx.URL("https://gateway.invalid/prefix"))
    assert reach.is_own(httpx.URL("https://GATEWAY.invalid:443/x"))
    for other in ("http://gateway.invalid/x", "https://gateway.invalid:8443/x", "https://x.gateway.invalid/"):
        assert not reach.is_own(httpx.URL(other))
