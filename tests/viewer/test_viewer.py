"""How the viewer is bound to the tools, and from where it may show media."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client
from pydantic import SecretStr

from rushes.domain.errors import ConfigurationError
from rushes.providers.provider import ProviderSettings
from rushes.server.mcp.server import build_server
from rushes.server.mcp.viewer import VIEWER_URI, media_domains, page
from rushes.server.settings.providers import checked_base_url
from rushes.tools import already

from ..server.clients import ERAS, connected
from ..tools.fake_service import FakeService

pytestmark = pytest.mark.anyio
every_era = pytest.mark.parametrize("era", ERAS)

APP = "text/html;profile=mcp-app"
KEY = SecretStr("a key")


def provider(wire: str, base_url: str | None = None, *, key: SecretStr | None = KEY) -> ProviderSettings:
    return ProviderSettings(name=wire, wire=wire, base_url=base_url, api_key=key)


@every_era
async def test_the_tools_that_answer_with_a_task_are_bound_to_the_viewer_and_no_others(era: str) -> None:
    async with connected(FakeService(), era) as client:
        tools = (await client.list_tools()).tools

    bound = {tool.name for tool in tools if tool.meta is not None}
    assert bound == {"generate_video", "generate_image", "generate_audio", "check_task"}
    assert {tool.meta["ui"]["resourceUri"] for tool in tools if tool.meta is not None} == {VIEWER_URI}


@pytest.mark.parametrize(("era", "keys"), [("auto", {"ui"}), ("legacy", {"ui", "ui/resourceUri"})])
async def test_only_older_hosts_are_given_the_older_key(era: str, keys: set[str]) -> None:
    async with connected(FakeService(), era) as client:
        for _ in range(2):
            tools = (await client.list_tools()).tools
            assert {frozenset(tool.meta) for tool in tools if tool.meta is not None} == {frozenset(keys)}


@every_era
async def test_the_page_is_a_resource_that_says_what_it_may_load(era: str) -> None:
    server = build_server(already(FakeService()), local_files=True, media_domains=["https://cdn.example"])
    async with Client(server, mode=era) as client:
        (content,) = (await client.read_resource(VIEWER_URI)).contents
        listed = [resource for resource in (await client.list_resources()).resources if resource.uri == VIEWER_URI]

    ui = {"csp": {"resourceDomains": ["https://cdn.example"], "connectDomains": []}, "prefersBorder": False}
    assert (content.mime_type, content.meta) == (APP, {"ui": ui})
    assert getattr(content, "text", None) == page()
    assert [(resource.mime_type, resource.meta) for resource in listed] == [(APP, {"ui": ui})]


async def test_the_server_says_that_it_has_an_app() -> None:
    async with connected(FakeService()) as client:
        assert "io.modelcontextprotocol/ui" in (client.server_capabilities.extensions or {})


@pytest.mark.parametrize(
    ("settings", "domains"),
    [
        (
            provider("apixo", "https://api.apixo.ai"),
            ["https://api.apixo.ai", "https://r2.apixo.ai", "https://cdn.apixo.ai", "https://file.apixo.ai"],
        ),
        (provider("unified", "https://yuto.example/v2"), ["https://yuto.example", "https://filesystem.site"]),
        (
            provider("routeany", "https://api.replicate.com"),
            ["https://api.replicate.com", "https://replicate.delivery", "https://*.replicate.delivery"],
        ),
        (provider("shuyou", "http://127.0.0.1:9001"), ["http://127.0.0.1:9001"]),
        (provider("shuyou", "http://gateway.example"), []),
        (provider("sandbox", key=None), []),
        (provider("apixo", "https://api.apixo.ai", key=None), []),
    ],
    ids=lambda value: value.base_url if isinstance(value, ProviderSettings) else "",
)
def test_a_configured_gateways_own_host_and_its_result_hosts_are_declared(
    settings: ProviderSettings, domains: list[str]
) -> None:
    assert media_domains([settings]) == domains


def test_each_origin_is_declared_once_and_those_of_the_person_come_last() -> None:
    twice = [provider("shuyou", "https://api.shuyou.ai"), provider("shuyou", "https://api.shuyou.ai/beta")]
    assert media_domains(twice, ["https://cdn.example"]) == ["https://api.shuyou.ai", "https://cdn.example"]


@given(st.text(alphabet="abc.:/@;' \"*-_[]\n0", max_size=30))
def test_whatever_a_base_url_is_no_declared_origin_can_widen_the_policy(text: str) -> None:
    for url in (text, f"https://{text}", f"http://localhost{text}"):
        try:
            checked = checked_base_url(url, "SHUYOU_BASE_URL")
        except ConfigurationError:
            continue
        for origin in media_domains([provider("shuyou", checked)]):
            assert not set(origin) & set(";,' \"\n*@")
