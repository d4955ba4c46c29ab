"""A hostile HTTP server on raw sockets, in threads, so that it answers whatever the process under test does.

    with serving(lambda request: whole(b"{}")) as server:
        ...  # server.url, server.heads

What answers is a function from the head of a request to the bytes of the answer, in pieces; the connection is closed
after the last one. `until_closed` makes an answer that never ends, and costs no processor time.
"""

import socket
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Answer = Callable[[str], Iterable[bytes]]

ENDLESS_PAUSE_SECONDS = 0.005


@dataclass
class Server:
    """A server that runs."""

    port: int
    heads: list[str] = field(default_factory=list[str])
    """The heads of all requests, in order."""
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        """Method and path of each request."""
        return [head.partition("\r\n")[0].rpartition(" ")[0] for head in self.heads]

    def until_closed(self, begin: bytes, again: bytes) -> Iterator[bytes]:
        """`begin`, then `again` over and over, slowly, until the client has had enough."""
        yield begin
        while not self.ended.wait(ENDLESS_PAUSE_SECONDS):
            yield again


@contextmanager
def serving(answer: Answer | None = None, *, answers: Callable[[Server], Answer] | None = None) -> Generator[Server]:
    """Answer on loopback until the end of the block; `answers` where the answer needs the server itself."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(0.02)
        server = Server(listener.getsockname()[1])
        chosen = answers(server) if answers is not None else answer
        assert chosen is not None
        threads: list[threading.Thread] = []

        def accept() -> None:
            while not server.ended.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                thread = threading.Thread(target=_serve, args=(connection, chosen, server), daemon=True)
                threads.append(thread)
                thread.start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.ended.set()
            accepting.join(5)
            for thread in threads:
                thread.join(5)


def _serve(connection: socket.socket, answer: Answer, server: Server) -> None:
    with connection:
        connection.settimeout(10)
        try:
            data = b""
            while b"\r\n\r\n" not in data:
                received = connection.recv(65536)
                if not received:
                    return
                data += received
            head, _, body = data.partition(b"\r\n\r\n")
            _read_rest(connection, head, body)
            text = head.decode("latin-1")
            server.heads.append(text)
            for piece in answer(text):
                connection.sendall(piece)
        except OSError:
            return


def _read_rest(connection: socket.socket, head: bytes, body: bytes) -> None:
    """The whole body is read, as a connection that is closed before that is reset and the answer lost."""
    length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
    left = int(length.partition(b":")[2]) - len(body)
    while left > 0:
        received = connection.recv(65536)
        if not received:
            return
        left -= len(received)


def whole(body: bytes, status: str = "200 OK", content_type: str = "application/json", **headers: str) -> list[bytes]:
    """A whole answer."""
    named = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines = [f"HTTP/1.1 {status}", f"content-type: {content_type}", f"content-length: {len(body)}", *named]
    return ["\r\n".join([*lines, "connection: close", "", ""]).encode() + body]


def redirect(location: str) -> list[bytes]:
    """The result is elsewhere."""
    return whole(b"", "302 Found", location=location)
