"""Driving the simulator from a test: start the process, point rushes at it, steer it, read what it recorded."""

import json
import shlex
import ssl
import subprocess
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx
from anyio import to_thread
from pydantic import BaseModel, TypeAdapter

from ..forks import Forked, fork
from .views import Charges, FetchView, HookView, JobView, Phase, RequestView, Violation

_ROOT: Final = Path(__file__).parents[2]
_STDERR: Final = 2
_Record = TypeVar("_Record", bound=BaseModel)

ANSWER_SECONDS: Final = 60.0
_REUSED_SECONDS: Final = 30.0
"""The simulator closes a connection on which nothing is asked for a little over twice as long."""

# Without certificates, because nothing here is trusted; each context of its own takes longer than a request.
_NO_TRUST: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


_JOBS: Final = TypeAdapter(list[JobView])
_REQUESTS: Final = TypeAdapter(list[RequestView])
_VIOLATIONS: Final = TypeAdapter(list[Violation])
_FETCHES: Final = TypeAdapter(list[FetchView])
_HOOKS: Final = TypeAdapter(list[HookView])


class NotSteered(RuntimeError):
    """The simulator does not know what it was asked for."""


@dataclass(frozen=True)
class GatewayProcess:
    """A running simulator: `environment` is what it printed."""

    process: Forked | subprocess.Popen[bytes]
    environment: Mapping[str, str]

    def stop(self) -> int:
        """End its standard input, wait for its end; the exit code."""
        with self.process:
            assert self.process.stdin is not None
            self.process.stdin.close()
            try:
                return self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise


def start_gateways(*gateways: str, max_seconds: float = 3600, errors: int | None = None) -> GatewayProcess:
    """Start the simulator and wait for its line. Blocks; the process also ends by itself after `max_seconds`.

    `errors` is where its standard error goes.
    """
    chosen = [word for gateway in gateways for word in ("--gateway", gateway)]
    process = fork(
        "tests.gateways",
        *("--max-seconds", str(max_seconds), *chosen),
        folder=_ROOT,
        stderr=_STDERR if errors is None else errors,
    )
    assert process.stdout is not None
    _, *assignments = shlex.split(process.stdout.readline().decode())
    return GatewayProcess(process, dict(part.split("=", 1) for part in assignments))


@contextmanager
def gateway_process(*gateways: str) -> Generator[GatewayProcess]:
    """A simulator for the length of the context."""
    started = start_gateways(*gateways)
    try:
        yield started
    finally:
        started.stop()


class RunningGateways:
    """The control API, typed. Gateways are named `routeany`, `yuto`, `shuyou`, `llmgateway`, `apixo`, …"""

    def __init__(self, environment: Mapping[str, str], http: httpx.AsyncClient, control: HTTPConnection) -> None:
        self.environment = environment
        self._control = control
        self._asked_at = time.monotonic()
        self.http = http
        """For requests of the test itself; it carries no key."""

    @property
    def closed_url(self) -> str:
        """A base URL whose port refuses connections."""
        return self.environment["GATEWAYS_CLOSED_URL"]

    def tls_failing_url(self, gateway: str) -> str:
        """A base URL whose TLS handshake fails: the port speaks plain HTTP."""
        return self.base_url(gateway).replace("http://", "https://", 1)

    def base_url(self, gateway: str) -> str:
        return f"{self.environment['GATEWAYS_CONTROL_URL'].removesuffix('/control')}/{gateway}"

    def only(self, *gateways: str) -> dict[str, str]:
        """The environment for rushes with just these gateways configured."""
        prefixes = tuple(f"{gateway.upper()}_" for gateway in gateways)
        return {name: value for name, value in self.environment.items() if name.startswith(prefixes)}

    async def jobs(self, gateway: str | None = None) -> list[JobView]:
        """The accepted, so paid, jobs, oldest first."""
        return await self._list("jobs", _JOBS, gateway)

    async def requests(self, gateway: str | None = None) -> list[RequestView]:
        return await self._list("requests", _REQUESTS, gateway)

    async def violations(self, gateway: str | None = None) -> list[Violation]:
        """What a careful client would not have sent."""
        return await self._list("violations", _VIOLATIONS, gateway)

    async def fetches(self) -> list[FetchView]:
        """The requests at the media origin."""
        return await self._list("fetches", _FETCHES, None)

    async def hooks(self) -> list[HookView]:
        """The webhooks that were sent."""
        return await self._list("hooks", _HOOKS, None)

    async def charges(self) -> Charges:
        return Charges.model_validate_json(self._asked("charges"))

    async def set_behaviour(self, gateway: str, behaviour: str, times: int | None = None) -> None:
        """Arm a behaviour such as `poll-http:503` for the next `times` uses; see `--behaviours` for all."""
        await self._post("behaviour", {"gateway": gateway, "behaviour": behaviour, "times": times})

    async def hold(self, gateway: str, times: int = 1) -> None:
        """Hold back the answers of the next creates, after their jobs were accepted."""
        await self._post("hold", {"gateway": gateway, "times": times})

    async def wait_held(self, gateway: str | None = None, count: int = 1) -> list[str]:
        """Wait until that many answers are held back; the job ids. Bound it with `anyio.fail_after`."""
        query = {"count": str(count)} | ({"gateway": gateway} if gateway else {})
        answer = await self.http.get(f"{self._control_url}/held", params=query, timeout=None)
        return TypeAdapter(list[str]).validate_json(answer.raise_for_status().content)

    async def release(self, gateway: str | None = None, *, cut: bool = False) -> None:
        """Let the held answers go, or cut their connections."""
        await self._post("release", {"gateway": gateway, "cut": cut})

    async def set_phase(self, gateway: str, job_id: str, phase: Phase) -> None:
        """Put a job into a phase; from then on polls do not change it."""
        await self._post("phase", {"gateway": gateway, "job_id": job_id, "phase": phase})

    async def reset(self) -> None:
        """Forget jobs, records and armed behaviours."""
        await self._post("reset", {})

    @property
    def _control_url(self) -> str:
        return self.environment["GATEWAYS_CONTROL_URL"]

    async def _list(self, what: str, records: TypeAdapter[list[_Record]], gateway: str | None) -> list[_Record]:
        return records.validate_json(self._asked(f"{what}?{urlencode({'gateway': gateway})}" if gateway else what))

    async def _post(self, what: str, body: Mapping[str, object]) -> None:
        self._asked(what, json.dumps(dict(body)))

    def _asked(self, what: str, body: str | None = None) -> bytes:
        """The answer to a GET, or to a POST of this body.

        It waits for nothing that the event loop does, and takes a tenth of what a client of the event loop takes.
        """
        path = f"{urlsplit(self._control_url).path}/{what}"
        if time.monotonic() - self._asked_at > _REUSED_SECONDS:
            self._control.close()
        self._asked_at = time.monotonic()
        self._control.request("GET" if body is None else "POST", path, body)
        answer = self._control.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise NotSteered(f"{path}: {answer.status} {content.decode()}")
        return content


@asynccontextmanager
async def connected(environment: Mapping[str, str]) -> AsyncGenerator[RunningGateways]:
    """The control of a simulator that runs already."""
    address = urlsplit(environment["GATEWAYS_CONTROL_URL"]).netloc
    async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS, verify=_NO_TRUST) as http:
        with closing(HTTPConnection(address, timeout=ANSWER_SECONDS)) as control:
            yield RunningGateways(environment, http, control)


@asynccontextmanager
async def running_gateways(
    *gateways: str, max_seconds: float = 3600, errors: int | None = None
) -> AsyncGenerator[RunningGateways]:
    """Start a simulator of these gateways (all without names), and stop it at the end."""
    started = await to_thread.run_sync(lambda: start_gateways(*gateways, max_seconds=max_seconds, errors=errors))
    try:
        async with connected(started.environment) as running:
            yield running
    finally:
        await to_thread.run_sync(started.stop)
