"""`rushes hooks`: where gateways call back, for tools that run over stdio."""

from typing import Annotated

import typer

from ..process import serve_hooks


def hooks(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 9000,
) -> None:
    """Take in the hooks of gateways, at the end of a tunnel from http.public_url to this port."""
    serve_hooks(host, port)
