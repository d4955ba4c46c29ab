"""From settings to a provider: built-in wires, plugins, and what happens when one is broken."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rushes.domain.errors import ConfigurationError
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.provider import Provider, ProviderSettings
from rushes.providers.registry import (
    FORMATS,
    build_provider,
    default_settings,
    format_names,
)

from .replies import settings

PLUGIN = """
from rushes.providers.registry import format_class
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.fact_files import load_facts

def make(settings):
    return HttpProvider(settings, format_class("routeany")(settings), load_facts("routeany"))

def broken(settings):
    raise RuntimeError("no luck")
"""

ENTRY_POINTS = """
[rushes.providers]
acme = acme_rushes:make
acme-broken = acme_rushes:broken
acme-missing = acme_rushes_missing:make
routeany = acme_rushes:make
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed package with entry points, as a wheel would leave it."""
    (tmp_path / "acme_rushes.py").write_text(PLUGIN, encoding="utf-8")
    metadata = tmp_path / "acme_rushes-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-rushes\nVersion: 1\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield
    sys.modules.pop("acme_rushes", None)


@pytest.mark.parametrize("wire", FORMATS)
def test_each_wire_makes_a_provider_with_models(wire: str) -> None:
    made: Provider = build_provider(settings(wire, name="mine"))
    assert made.name == "mine"
    assert made.unlisted_model("new", "video") is not None


@pytest.mark.anyio
async def test_the_sandbox_is_a_wire_of_its_own_and_needs_nothing(tmp_path: Path) -> None:
    known = default_settings()[-1]
    made = build_provider(known.model_copy(update={"work_folder": tmp_path / "work"}))
    assert (made.name, made.traits.free) == ("sandbox", True)
    await made.aclose()


def test_the_known_providers_have_their_documented_hosts_and_key_variables() -> None:
    known = {one.name: (one.wire, one.base_url, one.api_key_env) for one in default_settings()}
    assert known["routeany"] == ("routeany", "https://api.routeany.com", "ROUTEANY_API_KEY")
    assert known["yuto"] == ("unified", None, "YUTO_API_KEY")
    assert known["shuyou"] == ("shuyou", "https://api.shuyou.ai", "SHUYOU_API_KEY")
    assert known["llmgateway"] == ("llmgateway", "https://api.llmgateway.io", "LLMGATEWAY_API_KEY")
    assert known["apixo"] == ("apixo", "https://api.apixo.ai", "APIXO_API_KEY")
    assert all(one.api_key is None for one in default_settings())


def test_yuto_is_another_name_of_the_unified_wire() -> None:
    made = build_provider(settings("yuto", name="mine"))
    assert made.default_model("video") == "veo3.1"


def test_an_unknown_wire_is_a_configuration_error_with_a_suggestion() -> None:
    with pytest.raises(ConfigurationError, match=r"'routeani' \(did you mean 'routeany'"):
        build_provider(ProviderSettings(name="x", wire="routeani"))
    with pytest.raises(ConfigurationError, match=r"'zzz' \(known: routeany, "):
        build_provider(ProviderSettings(name="x", wire="zzz"))


def test_a_default_model_can_be_configured() -> None:
    made = build_provider(settings("routeany", options={"default_image_model": "acme/picture"}))
    assert made.default_model("image") == "acme/picture"
    assert made.default_model("video") == "google/veo-3.1"
    assert made.default_model("audio") is None


@pytest.mark.usefixtures("plugin")
def test_a_separate_package_adds_a_wire() -> None:
    made = build_provider(settings("acme"))
    assert isinstance(made, HttpProvider)
    assert made.name == "acme"
    assert "acme" in format_names()


@pytest.mark.usefixtures("plugin")
def test_a_plugin_cannot_take_the_place_of_a_built_in_wire() -> None:
    assert format_names().count("routeany") == 1


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("acme-broken", "acme_rushes:broken failed: RuntimeError: no luck"),
        ("acme-missing", "acme_rushes_missing"),
        ("acmes", "there is no wire format 'acmes' \\(did you mean 'acme'\\?\\)"),
    ],
)
def test_a_broken_plugin_is_one_sentence(name: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        build_provider(settings(name))
