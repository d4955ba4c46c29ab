"""Settings: the environment wins over the file, and the file over the defaults."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from rushes.domain.errors import ConfigurationError
from rushes.providers.provider import ProviderSettings
from rushes.server.settings.settings import Settings, default_input_roots, load_settings
from rushes.server.settings.variables import unknown_variables

KNOWN = (
    ProviderSettings(name="routeany", wire="routeany", base_url="https://routeany.example"),
    ProviderSettings(name="apixo", wire="apixo", base_url="https://apixo.example"),
    ProviderSettings(name="yuto", wire="unified"),
    ProviderSettings(name="sandbox", wire="sandbox", keyless=True),
)


def load(known: Sequence[ProviderSettings] = KNOWN) -> Settings:
    return load_settings(known, lambda: {provider.wire for provider in known})


def write(home: Path, text: str) -> Path:
    home.mkdir(parents=True, exist_ok=True)
    path = home / "rushes.toml"
    path.write_text(text, encoding="utf-8")
    return path


def provider(settings: Settings, name: str) -> ProviderSettings:
    (found,) = (provider for provider in settings.providers if provider.name == name)
    return found


def test_everything_lies_in_rushes_home(isolated_environment: Path) -> None:
    settings = load()
    assert settings.home == isolated_environment
    assert settings.cache_dir == isolated_environment / "cache"
    assert settings.output_dir == isolated_environment / "outputs"
    assert settings.config_file is None


def test_loading_settings_creates_nothing(isolated_environment: Path) -> None:
    load()
    assert not isolated_environment.exists()


def test_without_rushes_home_it_is_the_platforms_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RUSHES_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert load().home.is_relative_to(tmp_path)
    assert load().home.name == "rushes"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, isolated_environment: Path) -> None:
    for name in ("RUSHES_OUTPUT_DIR", "RUSHES_CONFIG", "RUSHES_LOG_LEVEL", "APIXO_API_KEY", "APIXO_BASE_URL"):
        monkeypatch.setenv(name, "")
    settings = load()
    assert settings.output_dir == isolated_environment / "outputs"
    assert settings.log_level == "warning"
    assert provider(settings, "apixo").api_key is None
    assert provider(settings, "apixo").base_url == "https://apixo.example"


def test_the_environment_beats_the_file(
    monkeypatch: pytest.MonkeyPatch, isolated_environment: Path, tmp_path: Path
) -> None:
    write(
        isolated_environment,
        'output_dir = "a"\nlog_level = "error"\n[providers.apixo]\nbase_url = "https://file.example"',
    )
    assert load().output_dir == isolated_environment / "a"
    assert load().log_level == "error"
    assert provider(load(), "apixo").base_url == "https://file.example"
    monkeypatch.setenv("RUSHES_OUTPUT_DIR", str(tmp_path / "b"))
    monkeypatch.setenv("RUSHES_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("APIXO_BASE_URL", "https://variable.example/")
    assert load().output_dir == tmp_path / "b"
    assert load().log_level == "debug"
    assert provider(load(), "apixo").base_url == "https://variable.example"


def test_a_file_elsewhere_is_named_by_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write(tmp_path / "elsewhere", f'home = "{tmp_path / "engine"}"')
    monkeypatch.setenv("RUSHES_CONFIG", str(path))
    monkeypatch.delenv("RUSHES_HOME")
    settings = load()
    assert settings.home == tmp_path / "engine"
    assert settings.config_file == path


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSHES_LOG_LEVEL", "loud")
    with pytest.raises(ConfigurationError, match=r"^RUSHES_LOG_LEVEL: .*'debug'"):
        load()


def test_a_misspelt_variable_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSHES_OUTPUTDIR", "/somewhere")
    assert unknown_variables() == ["RUSHES_OUTPUTDIR (did you mean 'RUSHES_OUTPUT_DIR'?)"]


def test_a_key_makes_a_provider_usable_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APIXO_API_KEY", "  very-secret-value\n")
    settings = load()
    key = provider(settings, "apixo").api_key
    assert key is not None
    assert key.get_secret_value() == "very-secret-value"
    assert "very-secret-value" not in repr(settings)
    assert "very-secret-value" not in "".join(found.model_dump_json() for found in settings.providers)


def test_a_key_that_no_header_can_carry_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APIXO_API_KEY", "schlüssel-geheim")
    with pytest.raises(ConfigurationError, match=r"^APIXO_API_KEY: ") as raised:
        load()
    assert "geheim" not in raised.value.message


def test_providers_come_in_the_configured_order_and_the_rest_behind(isolated_environment: Path) -> None:
    write(
        isolated_environment,
        'order = ["mine", "apixo"]\n[providers.mine]\nwire = "routeany"\nbase_url = "https://mine.example"',
    )
    assert [found.name for found in load().providers] == ["mine", "apixo", "routeany", "yuto", "sandbox"]


def test_a_further_instance_has_its_own_url_key_and_options(
    monkeypatch: pytest.MonkeyPatch, isolated_environment: Path
) -> None:
    write(
        isolated_environment,
        """
        [providers.replicate]
        wire = "routeany"
        base_url = "https://api.replicate.example/"
        api_key_env = "REPLICATE_API_TOKEN"
        requests_max = 3
        [providers.replicate.options]
        errors = "string"
        """,
    )
    monkeypatch.setenv("REPLICATE_API_TOKEN", "very-secret-value")
    mine = provider(load(), "replicate")
    assert (mine.wire, mine.base_url, mine.requests_max) == ("routeany", "https://api.replicate.example", 3)
    assert mine.options == {"errors": "string"}
    assert mine.api_key_env == "REPLICATE_API_TOKEN"
    assert mine.api_key is not None


def test_without_a_named_variable_the_key_is_read_from_one_after_the_name(
    monkeypatch: pytest.MonkeyPatch, isolated_environment: Path
) -> None:
    write(isolated_environment, '[providers.my-lab]\nwire = "routeany"\nbase_url = "https://lab.example"')
    monkeypatch.setenv("MY_LAB_API_KEY", "very-secret-value")
    assert provider(load(), "my-lab").api_key_env == "MY_LAB_API_KEY"
    assert provider(load(), "my-lab").api_key is not None


def test_the_sandbox_takes_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_API_KEY", "very-secret-value")
    assert provider(load(), "sandbox").api_key is None
    assert provider(load(), "sandbox").api_key_env is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[providers.mine]\nwire = "routany"', "providers.mine.wire: there is no wire format 'routany' (did you mean"),
        ('order = ["apxio"]', "no provider is called 'apxio' (did you mean 'apixo'?)"),
        ('[providers.mine]\nbase_url = "https://mine.example"', "providers.mine: this is not a provider"),
        ('[providers.apixo]\nbase_url = "apixo.example"', "providers.apixo.base_url: this is not an http or https URL"),
    ],
)
def test_a_provider_that_cannot_be_is_refused(isolated_environment: Path, text: str, words: str) -> None:
    path = write(isolated_environment, text)
    with pytest.raises(ConfigurationError) as raised:
        load()
    assert raised.value.message.startswith(f"{path}: ")
    assert words in raised.value.message


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://gateway.example", "not an http or https URL"),
        ("https://", "not an http or https URL"),
        ("https://gateway.example:0", "not an http or https URL"),
        ("https://gateway.example:port", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://ada:secret@gateway.example", "user name or password"),
        ("https://gateway.example/v1?x=1", "query or a fragment"),
        ("https://gateway.example/?", "query or a fragment"),
        ("https://gateway.example/#top", "query or a fragment"),
        ("https://gateway.example/a b", "blanks"),
    ],
)
def test_a_base_url_is_scheme_host_and_prefix_only(monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    monkeypatch.setenv("YUTO_BASE_URL", url)
    with pytest.raises(ConfigurationError) as raised:
        load()
    assert raised.value.message.startswith("YUTO_BASE_URL: ")
    assert words in raised.value.message


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://gateway.example", "https://gateway.example"),
        (" https://gateway.example/ ", "https://gateway.example"),
        ("http://127.0.0.1:8080/prefix//", "http://127.0.0.1:8080/prefix"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_base_url_is_kept_without_a_slash_at_its_end(monkeypatch: pytest.MonkeyPatch, url: str, kept: str) -> None:
    monkeypatch.setenv("YUTO_BASE_URL", url)
    assert provider(load(), "yuto").base_url == kept


def test_input_roots_of_the_file_replace_the_default_ones(isolated_environment: Path) -> None:
    write(isolated_environment, '[inputs]\nroots = ["media"]')
    assert load().input_roots == (isolated_environment / "media",)


def test_an_empty_list_of_input_roots_allows_no_local_file(isolated_environment: Path) -> None:
    write(isolated_environment, "[inputs]\nroots = []")
    assert load().input_roots == ()


def test_the_current_folder_is_an_input_root_only_where_it_is_a_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    project = tmp_path / "film"
    project.mkdir()
    for folder, expected in ((project, True), (tmp_path, False), (tmp_path.parent, False), (Path("/"), False)):
        monkeypatch.chdir(folder)
        assert (folder in default_input_roots(tmp_path / "outputs")) is expected
