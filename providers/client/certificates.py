"""The certificates that this process trusts, read once for all its connections."""

import os
import ssl
from functools import cache

import httpx


def certificates() -> ssl.SSLContext:
    """As the environment names them, else those that come with the HTTP library. Blocks for tens of milliseconds where
    nobody has asked before: every gateway, and what fetches its results, would else read the same file anew."""
    return _read(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _read(file: str | None, folder: str | None) -> ssl.SSLContext:
    del file, folder  # the library looks there by itself
    return httpx.create_ssl_context()
