"""A model API on loopback. It is also the host's proxy, so that what would leave this machine is refused and known."""

import asyncio
import json
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ..scripts.scenario import Document
from .conversation import LAST_WORDS, Dialect, Model


class Endpoint(ThreadingHTTPServer):
    """One server for one host; made in the event loop of the scenario."""

    daemon_threads = True

    def __init__(self, dialect: Dialect, model: Model) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refused: set[str] = set()
        """Where else the host wanted to go."""
        self._dialect = dialect
        self._model = model
        self._loop = asyncio.get_running_loop()
        self._ending = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str, request: Document) -> Document | bytes:
        """What is said; waits for the scenario where the request is a turn of the conversation."""
        heard = self._dialect.heard(path, request)
        if heard is None:
            return self._dialect.said(path, request, LAST_WORDS)
        words = asyncio.run_coroutine_threadsafe(self._model.next_words(heard), self._loop).result()
        return self._dialect.said(path, request, words)

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell the scenario, but of a host that hung up."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, ConnectionError) and not self._ending:
            self._loop.call_soon_threadsafe(self._model.broken, error)

    def shutdown(self) -> None:
        self._ending = True
        super().shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.startswith("/"):
            return self._refuse()
        said = self._endpoint().answer(self.path, json.loads(body))
        if isinstance(said, bytes):
            return self._send(HTTPStatus.OK, "text/event-stream", said)
        return self._send(HTTPStatus.OK, "application/json", json.dumps(said).encode())

    def do_GET(self) -> None:
        if self.path.startswith("/"):
            return self._send(HTTPStatus.NOT_FOUND, "application/json", b"{}")
        return self._refuse()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_CONNECT(self) -> None:
        self._refuse()

    def _endpoint(self) -> Endpoint:
        assert isinstance(self.server, Endpoint)
        return self.server

    def _refuse(self) -> None:
        self._endpoint().refused.add(self.path)
        self._send(HTTPStatus.FORBIDDEN, "application/json", b"{}")

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: standard output is the report's."""


@contextmanager
def answering(dialect: Dialect, model: Model) -> Generator[Endpoint]:
    """The server, until the end of the block."""
    with Endpoint(dialect, model) as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever, daemon=True)
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.shutdown()
            thread.join()
