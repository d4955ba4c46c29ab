"""A person's own upload address on loopback: it takes files, and answers as a test says."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Answer = Callable[[str], tuple[int, dict[str, str], bytes]]
"""From the URL at which the file now lies to status, headers and body."""


def answering(status: int, body: str = "", location: str | None = None) -> Answer:
    """An answer in which `URL` stands for the file's URL."""

    def answer(url: str) -> tuple[int, dict[str, str], bytes]:
        headers = {} if location is None else {"Location": location.replace("URL", url)}
        return status, headers, body.replace("URL", url).encode()

    return answer


@dataclass
class Upload:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class UploadEndpoint:
    """What came, in order; `answer` may be changed at any time."""

    port: int
    answer: Answer = field(default_factory=lambda: answering(201, location="URL"))
    uploads: list[Upload] = field(default_factory=list[Upload])

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def upload_endpoint() -> Generator[UploadEndpoint]:
    """An endpoint in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            endpoint.uploads.append(Upload(self.command, self.path, headers, body))
            status, answered, content = endpoint.answer(endpoint.base + self.path)
            self.send_response(status)
            for name, value in {**answered, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_PUT = do_POST = _take  # noqa: N815  the names that the base class looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as in the base class
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint = UploadEndpoint(server.server_port)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()
