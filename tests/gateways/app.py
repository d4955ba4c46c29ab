"""The gateways' origin: finds gateway and documented route, records the request, checks the key, answers."""

import json
import re
from collections.abc import Mapping
from urllib.parse import unquote

from pydantic import JsonValue
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from .calls import Call, Route
from .checks import texts_of
from .faults import Cut, Half, Hang, NotHttp
from .gateway import Gateway
from .views import RequestView
from .world import World, shortened

_SECRET_HEADERS = ("authorization", "x-api-key", "x-goog-api-key")


class Gateways:
    """ASGI application of all gateways, each below `/<name>`."""

    def __init__(self, world: World, gateways: Mapping[str, Gateway]) -> None:
        self.world = world
        self.gateways = gateways
        self.routes = {name: _compiled(gateway.routes()) for name, gateway in gateways.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw_path = scope["raw_path"].decode("ascii")
        name, slash, rest = raw_path.removeprefix("/").partition("/")
        gateway = self.gateways.get(name)
        if gateway is None:
            self.world.violation("undocumented-path", "", f"{request.method} {raw_path}")
            await JSONResponse({"error": "no such gateway"}, 404)(scope, receive, send)
            return
        entry = self._entry(request, gateway, slash + rest)
        try:
            response = await self._answer(request, gateway, entry)
        except ClientDisconnect:
            response = Cut("quiet")
        response.headers.update(gateway.answer_headers())
        entry.status = None if isinstance(response, Cut | Half | Hang | NotHttp) else response.status_code
        await response(scope, receive, send)

    def _entry(self, request: Request, gateway: Gateway, path: str) -> RequestView:
        headers = {name: "(hidden)" if name in _SECRET_HEADERS else text for name, text in request.headers.items()}
        entry = RequestView(
            number=len(self.world.requests) + 1,
            gateway=gateway.name,
            method=request.method,
            path=path,
            query={name: request.query_params.getlist(name) for name in request.query_params},
            headers=headers,
            authorization=gateway.authorization(request),
        )
        self.world.requests.append(entry)
        others = [key for name, key in self.world.keys.items() if name != gateway.name]
        foreign = any(key in text for key in others for text in request.headers.values())
        if foreign or self.world.keys_in([path, request.url.query, *headers.values()]):
            self.world.violation("key-elsewhere", gateway.name, f"{request.method} {path}", entry.number)
        return entry

    async def _answer(self, request: Request, gateway: Gateway, entry: RequestView) -> Response:
        if request.method == "POST":
            word = self.world.steering.take(gateway.name, "connect")
            if word is not None:
                return Cut("reset" if word.name == "reset-before-body" else "quiet")
        found = self._find(gateway, entry)
        body = await self._body(request, gateway, found[0] if found else None, entry)
        if found is None:
            self.world.violation("undocumented-path", gateway.name, f"{entry.method} {entry.path}", entry.number)
            return gateway.undocumented()
        route, params = found
        if route.needs_key and entry.authorization != "valid":
            return gateway.unauthorised()
        for name in sorted(set(entry.query) - set(route.query)):
            self.world.violation("unknown-field", gateway.name, f"query {name}", entry.number)
        if "json" in route.body and not isinstance(body, dict):
            return gateway.error(400, "The request body is not a JSON object")
        return await route.handle(Call(request, entry, params, body))

    def _find(self, gateway: Gateway, entry: RequestView) -> tuple[Route, dict[str, str]] | None:
        for pattern, route in self.routes[gateway.name]:
            match = pattern.fullmatch(entry.path)
            if match and route.method == entry.method:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    async def _body(self, request: Request, gateway: Gateway, route: Route | None, entry: RequestView) -> JsonValue:
        raw = await request.body()
        content_type = request.headers.get("content-type", "").partition(";")[0]
        form = route.body if route else "json or form"
        body: JsonValue = None
        problem = "" if raw or form == "none" else "no body"
        if content_type == "multipart/form-data" and "form" in form:
            body = _form_fields((await request.form()).multi_items())
        elif raw and form != "none" and "json" in form and content_type == "application/json":
            body, problem = _parsed(raw)
        elif raw:
            problem = f"a body of {len(raw)} bytes of type {content_type or 'unknown'}"
        if problem and route is not None:
            self.world.violation("unexpected-body", gateway.name, f"{entry.path}: {problem}", entry.number)
        if self.world.keys_in(texts_of(body)):
            self.world.violation("key-elsewhere", gateway.name, f"body of {entry.method} {entry.path}", entry.number)
        entry.body = shortened(body)
        return body


def _compiled(routes: tuple[Route, ...]) -> list[tuple[re.Pattern[str], Route]]:
    return [(re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path)), route) for route in routes]


def _parsed(raw: bytes) -> tuple[JsonValue, str]:
    try:
        return json.loads(raw), ""
    except ValueError:
        return None, "a body that is not JSON"


def _form_fields(items: list[tuple[str, UploadFile | str]]) -> dict[str, JsonValue]:
    """The fields of a form; one that comes several times (`image[]`) is a list."""
    fields: dict[str, JsonValue] = {}
    for raw_name, value in items:
        name, text = raw_name.removesuffix("[]"), _form_text(value)
        before = fields.get(name)
        if raw_name.endswith("[]") or before is not None:
            fields[name] = [*(before if isinstance(before, list) else [before] if before else []), text]
        else:
            fields[name] = text
    return fields


def _form_text(value: UploadFile | str) -> str:
    if isinstance(value, str):
        return value
    return f"(file {value.filename}, {value.content_type}, {value.size} bytes)"
