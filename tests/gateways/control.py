"""The control API below `/control`: steering the simulator, and reading what it recorded."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .jobs import Job
from .prices import charged_for, price_of
from .views import JobView, Phase
from .world import World


class Arming(BaseModel):
    """Body of `POST /control/behaviour`: the next `times` uses; without it, as the behaviour's own count says."""

    model_config = ConfigDict(extra="forbid")

    gateway: str
    behaviour: str
    times: int | None = None


class Hold(BaseModel):
    """Body of `POST /control/hold`: hold back the answers of the next `times` creates, after the job was accepted."""

    model_config = ConfigDict(extra="forbid")

    gateway: str
    times: int = 1


class Release(BaseModel):
    """Body of `POST /control/release`: let held answers go, or cut their connections instead."""

    model_config = ConfigDict(extra="forbid")

    gateway: str | None = None
    cut: bool = False


class Move(BaseModel):
    """Body of `POST /control/phase`: where a job is from now on."""

    model_config = ConfigDict(extra="forbid")

    gateway: str
    job_id: str
    phase: Phase


def control_app(world: World) -> Starlette:
    """The control API as an application of its own."""
    control = Control(world)
    posts = (control.behaviour, control.hold, control.release, control.phase, control.reset)
    gets = (
        control.requests,
        control.jobs,
        control.charges,
        control.violations,
        control.fetches,
        control.held,
        control.hooks,
    )
    return Starlette(
        routes=[Route(f"/control/{handler.__name__}", handler, methods=["POST"]) for handler in posts]
        + [Route(f"/control/{handler.__name__}", handler, methods=["GET"]) for handler in gets],
        exception_handlers={ValidationError: _not_understood},
    )


async def _not_understood(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 422)


def _listed(records: Iterable[BaseModel]) -> Response:
    return JSONResponse([record.model_dump(mode="json") for record in records])


class Control:
    """The handlers; each is named as its path."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def behaviour(self, request: Request) -> Response:
        asked = Arming.model_validate_json(await request.body())
        if not self.world.steering.arm(asked.gateway, asked.behaviour, asked.times):
            return JSONResponse({"detail": f"{asked.gateway} has no behaviour {asked.behaviour}"}, 404)
        return JSONResponse({"armed": asked.behaviour})

    async def hold(self, request: Request) -> Response:
        asked = Hold.model_validate_json(await request.body())
        self.world.holding.hold_next(asked.gateway, asked.times)
        return JSONResponse({"holding": asked.times})

    async def held(self, request: Request) -> Response:
        """The job ids whose answers are held; waits until there are `count`."""
        count = int(request.query_params.get("count", "0"))
        found = await self.world.holding.wait_held(request.query_params.get("gateway"), count)
        return JSONResponse(found)

    async def release(self, request: Request) -> Response:
        asked = Release.model_validate_json(await request.body() or b"{}")
        return JSONResponse({"released": self.world.holding.release(asked.gateway, cut=asked.cut)})

    async def phase(self, request: Request) -> Response:
        asked = Move.model_validate_json(await request.body())
        job = self.world.jobs.get((asked.gateway, asked.job_id))
        if job is None:
            return JSONResponse({"detail": "no such job"}, 404)
        job.set_phase(asked.phase)
        return JSONResponse(_viewed(job).model_dump(mode="json"))

    async def reset(self, request: Request) -> Response:
        self.world.reset()
        return JSONResponse({})

    async def requests(self, request: Request) -> Response:
        gateway = request.query_params.get("gateway")
        return _listed(entry for entry in self.world.requests if gateway in (None, entry.gateway))

    async def jobs(self, request: Request) -> Response:
        return _listed(_viewed(job) for job in self.world.jobs_of(request.query_params.get("gateway")))

    async def charges(self, request: Request) -> Response:
        return JSONResponse(self.world.charges().model_dump(mode="json"))

    async def violations(self, request: Request) -> Response:
        gateway = request.query_params.get("gateway")
        return _listed(found for found in self.world.violations if gateway in (None, found.gateway))

    async def hooks(self, request: Request) -> Response:
        return _listed(self.world.deliveries.sent)

    async def fetches(self, request: Request) -> Response:
        return _listed(self.world.fetches)


def _viewed(job: Job) -> JobView:
    """The job, with what it costs."""
    costs = {"price": f"{price_of(job):f}", "charged": f"{charged_for(job):f}"}
    return job.view().model_copy(update=costs)
