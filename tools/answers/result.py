"""What a tool hands to the server: one JSON document, and what stands beside it."""

from dataclasses import dataclass, field

from pydantic import JsonValue


@dataclass(frozen=True)
class Link:
    """A produced medium that a host may open."""

    uri: str
    name: str
    mime_type: str | None = None
    bytes: int | None = None
    description: str | None = None


@dataclass(frozen=True)
class ToolResult:
    """A tool's answer. The server sends `document` twice: as structured content, and the same as text."""

    document: dict[str, JsonValue]
    is_error: bool = False
    links: tuple[Link, ...] = ()
    said: tuple[str, ...] = ()
    """The warnings in it that the call brought, which no later look at the task tells."""


@dataclass(frozen=True)
class Picture:
    """An answer to look at. Without structured content, because hosts that get it drop the picture."""

    jpeg: bytes = field(repr=False)
    text: str
