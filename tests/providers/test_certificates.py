"""The certificates that connections are checked by: read once, and those that the environment names."""

import shutil
from pathlib import Path

import certifi
import pytest

from rushes.providers.client.certificates import certificates


def test_all_connections_of_a_process_share_what_was_read_once() -> None:
    assert certificates() is certificates()
    assert certificates().get_ca_certs()


def test_a_file_that_the_environment_names_is_read_in_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usual = certificates()
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("SSL_CERT_FILE", str(shutil.copy(certifi.where(), tmp_path / "trusted.pem")))
        assert certificates() is not usual
    assert certificates() is usual
