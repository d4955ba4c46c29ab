"""The media origin: another port than the gateways', where outputs lie and no key belongs."""

import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .delivery import deliver
from .faults import Cut
from .views import Authorization, FetchView
from .world import World

_KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key", "cookie", "proxy-authorization")


class MediaOrigin:
    """ASGI application of the media origin."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path.removeprefix("/moved")
        offer = self.world.offers.get(path)
        fetch = FetchView(
            path=request.url.path,
            query={name: request.query_params.getlist(name) for name in request.query_params},
            job_id=offer.job.job_id if offer else None,
            authorization=self._authorization(request),
        )
        self.world.fetches.append(fetch)
        response = await self._answer(request, path)
        fetch.status = None if isinstance(response, Cut) else response.status_code
        await response(scope, receive, send)

    def _authorization(self, request: Request) -> Authorization:
        sent = [request.headers[name] for name in _KEY_HEADERS if name in request.headers]
        if not sent and not self.world.keys_in([str(request.url)]):
            return "absent"
        self.world.violation("key-elsewhere", "media", f"{request.method} {request.url.path}")
        return "valid" if self.world.keys_in([*sent, str(request.url)]) else "invalid"

    async def _answer(self, request: Request, path: str) -> Response:
        if path.startswith("/followed/"):
            self.world.violation("url-followed", path.split("/")[2], f"{request.method} {path}")
            return Response("nothing here", 404)
        offer = self.world.offers.get(path)
        if offer is None or request.method not in ("GET", "HEAD"):
            return _store_error(404)
        if request.url.query != offer.query:
            self.world.violation("query-changed", offer.job.gateway, str(request.url.query))
            return _store_error(403)
        if offer.expires_at is not None and offer.expires_at < time.time():
            return _store_error(403)
        return await deliver(self.world, offer.job, offer.index, request, _store_error)


def _store_error(status: int) -> Response:
    codes = {403: "AccessDenied", 404: "NoSuchKey", 410: "Gone", 429: "SlowDown", 503: "SlowDown"}
    code = codes.get(status, "InternalError")
    return Response(f"<Error><Code>{code}</Code></Error>", status, media_type="application/xml")
