"""The parts that a simulated gateway is described with: routes, calls, refusals, and who it is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response

from .views import RequestView

BodyForm = Literal["none", "json", "form", "json or form"]


@dataclass(frozen=True)
class Call:
    """One request, already recorded. `body` is its JSON, or its form fields."""

    request: Request
    entry: RequestView
    params: Mapping[str, str]
    body: JsonValue

    @property
    def fields(self) -> dict[str, JsonValue]:
        """The body as an object; empty if it is none."""
        return self.body if isinstance(self.body, dict) else {}

    def text(self, name: str) -> str:
        """A field of the body, if it is a string."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def query(self, name: str, default: str = "") -> str:
        return self.request.query_params.get(name, default)


@dataclass(frozen=True)
class Route:
    """One documented method and path: a regular expression, in which `{name}` is one segment.

    `query` names the documented parameters.
    """

    method: str
    path: str
    handle: Callable[[Call], Awaitable[Response]]
    body: BodyForm = "none"
    query: tuple[str, ...] = ()
    needs_key: bool = True


@dataclass(frozen=True)
class Refusal:
    """A documented way to refuse a create."""

    meaning: str
    source: str
    answer: Callable[[], Response]


@dataclass(frozen=True)
class Identity:
    """How a gateway is known to rushes and to a person."""

    name: str
    variable: str
    """`ROUTEANY` in `ROUTEANY_BASE_URL`."""
    key_variable: str
    key_prefix: str = "sk-"
    key_headers: tuple[str, ...] = field(default=())
    """Documented beside `Authorization: Bearer`."""
