"""`[inputs] upload_url`: the person's own address for files that gateways take by URL only."""

from pathlib import Path

import pytest

from rushes.domain.errors import ConfigurationError
from rushes.server.settings.file import parse

from .test_settings import load, write

PATH = Path("/etc/engine/rushes.toml")


def test_without_an_address_nothing_is_uploaded() -> None:
    assert load().upload is None


def test_all_of_it_is_read_and_the_header_comes_from_the_environment(
    isolated_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        isolated_environment,
        """
        [inputs]
        roots = ["pictures"]
        upload_url = "https://files.example/{name}?sig=x"
        upload_method = "POST"
        upload_field = "file"
        upload_header = "X-Token"
        upload_header_env = "MY_UPLOAD_TOKEN"
        upload_public_url = "https://cdn.example/{sha256}.{ext}"
        """,
    )
    monkeypatch.setenv("MY_UPLOAD_TOKEN", "very-secret")
    settings = load()
    upload = settings.upload
    assert upload is not None
    assert (upload.url, upload.method, upload.form_field) == ("https://files.example/{name}?sig=x", "POST", "file")
    assert (upload.header, upload.public_url) == ("X-Token", "https://cdn.example/{sha256}.{ext}")
    assert upload.header_value is not None
    assert upload.header_value.get_secret_value() == "very-secret"
    assert "very-secret" not in repr(settings)
    assert settings.input_roots == (isolated_environment / "pictures",)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('upload_url = "files.example/x"', "inputs.upload_url"),
        ('upload_url = "ftp://files.example/x"', "inputs.upload_url"),
        ('upload_url = "https://user:secret@files.example/x"', "inputs.upload_url"),
        ('upload_url = "https://files.example/{id}"', "inputs.upload_url"),
        ('upload_url = "https://files.example/a b"', "inputs.upload_url"),
        ('upload_method = "PATCH"', "inputs.upload_method"),
        ('upload_header = "a header"', "inputs.upload_header"),
        ('upload_header_env = "Bearer very-secret"', "inputs.upload_header_env"),
    ],
)
def test_a_mistake_is_told_by_its_key_and_without_its_value(line: str, key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(f"[inputs]\n{line}\n", PATH)
    assert caught.value.message.startswith(f"{PATH}: {key}: ")
    assert "secret" not in caught.value.message
