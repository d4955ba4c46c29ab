"""`[http] public_url` and the secrets by which gateways sign their hooks."""

from pathlib import Path

import pytest

from rushes.domain.errors import ConfigurationError
from rushes.providers.provider import ProviderSettings

from .test_settings import load, provider, write


def test_without_an_address_nobody_is_asked_to_call() -> None:
    assert load().public_url is None


def test_the_address_comes_from_the_file_and_the_environment_wins(
    isolated_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(isolated_environment, '[http]\npublic_url = "https://hooks.example/rushes/"')
    assert load().public_url == "https://hooks.example/rushes"
    monkeypatch.setenv("RUSHES_PUBLIC_URL", "https://tunnel.example/")
    assert load().public_url == "https://tunnel.example"


@pytest.mark.parametrize(
    "url", ["hooks.example", "ftp://a.example", "https://me:pw@a.example", "https://a.example?x=1", "https://a b"]
)
def test_what_is_no_address_is_named_by_its_place(
    url: str, isolated_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(isolated_environment, f'[http]\npublic_url = "{url}"')
    with pytest.raises(ConfigurationError, match=r"http\.public_url: .*https://hooks\.example"):
        load()
    write(isolated_environment, "")
    monkeypatch.setenv("RUSHES_PUBLIC_URL", url)
    with pytest.raises(ConfigurationError, match="RUSHES_PUBLIC_URL: "):
        load()


def test_a_gateways_secret_comes_from_the_environment(
    isolated_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTEANY_WEBHOOK_SECRET", "whsec_c2VjcmV0")
    monkeypatch.setenv("MY_SECRET", "whsec_b3RoZXI=")
    write(isolated_environment, '[providers.apixo]\nwebhook_secret_env = "MY_SECRET"')
    found = [provider(load(), name).webhook_secret for name in ("routeany", "apixo", "yuto")]
    assert [secret and secret.get_secret_value() for secret in found] == ["whsec_c2VjcmV0", "whsec_b3RoZXI=", None]


def test_llmgateways_secret_may_have_any_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMGATEWAY_WEBHOOK_SECRET", "hunter2")
    secret = provider(load([ProviderSettings(name="llmgateway", wire="llmgateway")]), "llmgateway").webhook_secret
    assert secret is not None
    assert secret.get_secret_value() == "hunter2"


def test_a_secret_of_another_form_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTEANY_WEBHOOK_SECRET", "hunter2")
    with pytest.raises(ConfigurationError, match=r"ROUTEANY_WEBHOOK_SECRET: .*whsec_") as caught:
        load()
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("line", ['webhook_secret = "whsec_x"', 'webhook_secret_env = "whsec_c2VjcmV0="'])
def test_a_secret_never_stands_in_the_file(line: str, isolated_environment: Path) -> None:
    write(isolated_environment, f"[providers.routeany]\n{line}")
    with pytest.raises(ConfigurationError, match="environment variable"):
        load()
