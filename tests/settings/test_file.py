"""`rushes.toml`: every mistake is refused with the file, the key, and what would be right."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.errors import ConfigurationError
from rushes.domain.spelling import did_you_mean
from rushes.server.settings.file import FileSettings, parse, read_file

PATH = Path("/etc/engine/rushes.toml")


def test_an_empty_file_changes_nothing() -> None:
    assert parse("", PATH) == FileSettings()


def test_every_table_is_read() -> None:
    settings = parse(
        """
        order = ["apixo", "replicate"]
        log_level = "info"

        [providers.replicate]
        wire = "routeany"
        base_url = "https://api.replicate.example"
        api_key_env = "REPLICATE_API_TOKEN"
        timeout_seconds = 30
        requests_max = 4
        options = { errors = "string" }

        [inputs]
        roots = ["/srv/pictures"]

        [viewer]
        media_domains = ["https://cdn.example", "https://*.media.example:8443", "http://127.0.0.1:8000"]

        [limits]
        keep_outputs = false
        download_bytes_max = 1000000
        """,
        PATH,
    )
    assert settings.order == ["apixo", "replicate"]
    assert settings.providers["replicate"].options == {"errors": "string"}
    assert settings.inputs.roots == [Path("/srv/pictures")]
    assert len(settings.viewer.media_domains) == 3
    assert settings.limits.keep_outputs is False
    assert settings.limits.download_bytes_max == 1_000_000


def test_relative_paths_start_at_the_folder_of_the_file_and_a_tilde_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    settings = parse('output_dir = "kept"\nhome = "~/engine"\n[inputs]\nroots = ["../media"]', PATH)
    assert settings.output_dir == Path("/etc/engine/kept")
    assert settings.home == Path("/home/ada/engine")
    assert settings.inputs.roots == [Path("/etc/engine/../media")]


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('ordr = ["apixo"]', "ordr", "did you mean 'order'?"),
        ("[limits]\ndownload_byte_max = 3", "limits.download_byte_max", "did you mean 'download_bytes_max'?"),
        ('[providers.mine]\nbase_ur = "https://a.example"', "providers.mine.base_ur", "did you mean 'base_url'?"),
        ('[viewer]\nmedia_domains = ["cdn.example"]', "viewer.media_domains.0", "such as https://cdn.example"),
        ('[viewer]\nmedia_domains = ["https://a.example; script-src *"]', "viewer.media_domains.0", "without a path"),
        ('[viewer]\nmedia_domains = ["https://*"]', "viewer.media_domains.0", "an origin"),
        ('[viewer]\nmedia_domains = ["http://cdn.example"]', "viewer.media_domains.0", "such as https://"),
        ("[inputs]\nfolders = []", "inputs.folders", "known here: roots"),
        ('order = "apixo"', "order", 'must be a list, such as ["a", "b"]'),
        ("providers = 3", "providers", "must be a table"),
        ("[providers]\nmine = 1", "providers.mine", "must be a table"),
        ('[limits]\nkeep_outputs = "perhaps"', "limits.keep_outputs", "valid boolean"),
        ("[limits]\ntasks_polled_at_once = 0", "limits.tasks_polled_at_once", "greater than or equal to 1"),
        ('log_level = "loud"', "log_level", "'debug', 'info', 'warning' or 'error'"),
        ('[providers.Mine]\nwire = "apixo"', "providers.Mine", "a letter first"),
    ],
)
def test_a_mistake_is_named_by_file_and_key(text: str, key: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse(text, PATH)
    assert raised.value.message.startswith(f"{PATH}: {key}: ")
    assert words in raised.value.message


def test_each_of_several_mistakes_has_its_line() -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse("ordr = []\n[limits]\nkeep_output = true", PATH)
    assert len(raised.value.message.splitlines()) == 2


@pytest.mark.parametrize("key", ["api_key", "token", "key"])
@pytest.mark.parametrize("table", ["providers.mine", "providers.mine.options"])
def test_a_key_in_the_file_is_refused_with_the_reason_and_without_repeating_it(table: str, key: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse(f'[{table}]\n{key} = "very-secret-value"', PATH)
    assert f"{table}.{key}" in raised.value.message
    assert "api_key_env" in raised.value.message
    assert "very-secret-value" not in raised.value.message


def test_a_key_given_as_the_name_of_a_variable_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse('[providers.apixo]\napi_key_env = "sk-very-secret"', PATH)
    assert "never a key itself" in raised.value.message
    assert "sk-very-secret" not in raised.value.message


def test_broken_toml_is_named_with_its_place() -> None:
    with pytest.raises(ConfigurationError, match=r"not valid TOML.*line 1"):
        parse("order = = 3", PATH)


def test_a_missing_file_is_an_error_only_where_somebody_named_it(tmp_path: Path) -> None:
    absent = tmp_path / "rushes.toml"
    assert read_file(absent, must_exist=False) == FileSettings()
    with pytest.raises(ConfigurationError, match="named by RUSHES_CONFIG"):
        read_file(absent, must_exist=True)


def test_a_folder_or_junk_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    junk = tmp_path / "junk.toml"
    junk.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, junk):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            read_file(path, must_exist=False)


@given(st.text(max_size=80))
def test_any_text_is_settings_or_a_configuration_error(text: str) -> None:
    try:
        settings = parse(text, PATH)
    except ConfigurationError as error:
        assert str(PATH) in error.message
    else:
        assert isinstance(settings, FileSettings)


def test_no_suggestion_is_made_where_no_word_is_near() -> None:
    assert did_you_mean("zzz", ["order", "limits"]) == ""
