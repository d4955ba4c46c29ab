"""Uploading an input medium to an address of the person's own, so that gateways which take URLs only can fetch it.

The address is the person's (`[inputs] upload_url`) and the gateways' keys are never sent there. Nothing is paid by an
upload, and it happens before a task is journaled. What it answers is handed to a gateway, never fetched here.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urljoin, urlsplit

import anyio
import anyio.to_thread
from pydantic import JsonValue, SecretStr

from ...domain.errors import RequestRefused
from .addresses import is_loopback_url

if TYPE_CHECKING:
    import httpx

SECONDS_MAX = 30.0
"""On one upload, from connect to the end of its answer."""

ANSWER_BYTES_MAX = 64 * 1024
URL_CHARACTERS_MAX = 4096

EXTENSIONS = {"image/jpeg": "jpg", "audio/mpeg": "mp3", "video/quicktime": "mov", "audio/mp4": "m4a"}
"""Where the usual ending is not the subtype."""

_HINT = "Nothing was sent to a gateway and nothing was paid. Ask the user to check [inputs] upload_url in rushes.toml."


@dataclass(frozen=True)
class UploadTarget:
    """Where and how input media are uploaded.

    In `url` and `public_url`, `{name}` is a file name made of the content's hash, `{sha256}` that hash, `{ext}` the
    ending.
    """

    url: str
    method: Literal["PUT", "POST"] = "PUT"
    form_field: str | None = None
    """With it a POST sends a form with the file in this field; else the body is the file."""
    header: str = "Authorization"
    header_env: str | None = None
    """The environment variable with the header's value, for messages."""
    header_value: SecretStr | None = None
    public_url: str | None = None
    """Where gateways find the file; without it the answer tells."""


class UploadClient:
    """Uploads to one target. `transport` and `seconds_max` are for tests."""

    def __init__(
        self,
        target: UploadTarget,
        *,
        transport: "httpx.AsyncBaseTransport | None" = None,
        seconds_max: float = SECONDS_MAX,
    ) -> None:
        self._target = target
        self._transport = transport
        self._seconds_max = seconds_max

    @property
    def host(self) -> str:
        """Whom the files go to, for messages; never the whole address, which may hold a secret."""
        return urlsplit(self._target.url).hostname or "the upload address"

    def expected_url(self, sha256: str, mime_type: str) -> str:
        """The URL as far as it is known before an upload, for a dry run."""
        public = self._target.public_url
        if public is not None:
            return _filled(public, sha256, mime_type)
        return f"https://{self.host}/<told by the upload of {_name(sha256, mime_type)}>"

    async def upload(self, data: bytes, *, sha256: str, mime_type: str) -> str:
        """Upload one file; the URL under which a gateway finds it.

        Raises:
            RequestRefused: it could not be uploaded, or the answer names no URL that a gateway could fetch.
        """
        import httpx

        target = self._target
        if target.header_env is not None and target.header_value is None:
            raise self._failed(f"{target.header_env}, which upload_header_env names, is not set")
        url = _filled(target.url, sha256, mime_type)
        try:
            with anyio.fail_after(self._seconds_max):
                status, location, body = await self._send(url, data, _name(sha256, mime_type), mime_type)
        except TimeoutError as error:
            raise self._failed(f"it took longer than {self._seconds_max:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise self._failed(f"no whole answer came ({type(error).__name__})") from error
        if not 200 <= status < 300:
            raise self._failed(f"it answered HTTP {status}")
        told = _filled(target.public_url, sha256, mime_type) if target.public_url else _told(url, location, body)
        if told is None:
            forms = "a Location header, JSON with url, or plain text"
            raise self._failed(f"its answer names no URL ({forms}); upload_public_url can say it")
        return self._checked(told)

    async def _send(self, url: str, data: bytes, name: str, mime_type: str) -> tuple[int, str | None, bytes]:
        from .http import user_agent

        target = self._target
        headers = {"User-Agent": user_agent(), "Accept": "application/json, text/plain;q=0.9, */*;q=0.5"}
        if target.header_value is not None:
            headers[target.header] = target.header_value.get_secret_value()
        # Certificates may have to be read, which blocks; uploads are rare, so no client is kept open.
        client = await anyio.to_thread.run_sync(self._new_client)
        async with client:
            if target.form_field is not None:
                files = {target.form_field: (name, data, mime_type)}
                request = client.build_request(target.method, url, headers=headers, files=files)
            else:
                request = client.build_request(
                    target.method, url, headers={**headers, "Content-Type": mime_type}, content=data
                )
            response = await client.send(request, stream=True)
            try:
                return response.status_code, response.headers.get("location"), await _bounded(response)
            finally:
                await response.aclose()

    def _new_client(self) -> "httpx.AsyncClient":
        import httpx

        from .certificates import certificates

        return httpx.AsyncClient(
            verify=certificates(),
            timeout=self._seconds_max,
            trust_env=self._target.url.startswith("https:"),
            follow_redirects=False,
            transport=self._transport,
        )

    def _checked(self, told: str) -> str:
        parts = urlsplit(told)
        inside = is_loopback_url(told) and is_loopback_url(self._target.url)
        fit = parts.scheme == "https" or (parts.scheme == "http" and inside)
        plain = told.isprintable() and told.isascii() and " " not in told and parts.username is None
        if not fit or not plain or not parts.hostname or len(told) > URL_CHARACTERS_MAX:
            raise self._failed("what it answers is not a plain https URL")
        return told

    def _failed(self, what: str) -> RequestRefused:
        message = f"The input file could not be uploaded to {self.host}: {what}."
        return RequestRefused("invalid_media", message, hint=_HINT)


async def _bounded(response: "httpx.Response") -> bytes:
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) > ANSWER_BYTES_MAX:
            raise ValueError("the answer is too long")
    return bytes(data)


def _name(sha256: str, mime_type: str) -> str:
    return f"{sha256[:32]}.{_extension(mime_type)}"


def _extension(mime_type: str) -> str:
    return EXTENSIONS.get(mime_type, mime_type.rpartition("/")[2].removeprefix("x-"))


def _filled(template: str, sha256: str, mime_type: str) -> str:
    values = {"{name}": _name(sha256, mime_type), "{sha256}": sha256, "{ext}": _extension(mime_type)}
    for placeholder, value in values.items():
        template = template.replace(placeholder, quote(value, safe=""))
    return template


def _told(url: str, location: str | None, body: bytes) -> str | None:
    """The URL in an answer: a Location header, `{"url": …}` (also inside `data`), or the URL as plain text."""
    if location:
        return urljoin(url, location.strip())
    text = body.decode("utf-8", "replace").strip()
    try:
        parsed: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text if text.lower().startswith(("https://", "http://")) else None
    inner = parsed.get("data") if isinstance(parsed, dict) else None
    for holder in (parsed, inner):
        found = holder if isinstance(holder, str) else holder.get("url") if isinstance(holder, dict) else None
        if isinstance(found, str) and found:
            return urljoin(url, found.strip())
    return None
