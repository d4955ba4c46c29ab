"""Replies of a gateway as data, and providers that talk to a function instead of a network."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import httpx
from pydantic import JsonValue, SecretStr

from rushes.domain.job import Job, Plan
from rushes.domain.model_facts import ModelFacts
from rushes.domain.request import GenerationRequest, Kind
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.client.reply import Reply
from rushes.providers.fact_files import find_model, load_facts
from rushes.providers.format import Format
from rushes.providers.provider import ProviderSettings
from rushes.providers.registry import format_class

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEY = "sk-very-secret-0123456789"


def reply(body: JsonValue | bytes = None, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, headers or {}, body, NOW)


def settings(
    wire: str, /, name: str | None = None, base_url: str | None = None, options: Mapping[str, JsonValue] | None = None
) -> ProviderSettings:
    return ProviderSettings(
        name=name or wire,
        wire=wire,
        base_url=base_url or f"https://{wire}.invalid",
        api_key=SecretStr(KEY),
        options=dict(options or {}),
    )


def make_format(wire: str, /, **options: JsonValue) -> Format:
    return format_class(wire)(settings(wire, options=options))


def facts_of(wire: str, name: str, kind: Kind = "video") -> ModelFacts:
    file = load_facts(wire)
    return find_model(file.models, name, kind) or file.unlisted_model(name, kind)


def plan_of(wire: str, request: GenerationRequest, model: str, **options: JsonValue) -> Plan:
    made = make_format(wire, **options)
    return made.plan(request, made.adapt_facts(facts_of(wire, model, request.kind)))


def job(job_id: str = "job-1", model: str = "m", **details: JsonValue) -> Job:
    return Job(job_id=job_id, model=model, details=details)


class Gateway:
    """Answers requests with a function, and remembers them."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer(request)

    @property
    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


def always(status: int = 200, json: object = None, content: bytes | None = None, **headers: str) -> Gateway:
    """A gateway that gives one answer to everything."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(request: httpx.Request) -> httpx.Response:
        if content is not None:
            return httpx.Response(status, content=content, headers=named)
        return (
            httpx.Response(status, json=json, headers=named)
            if json is not None
            else httpx.Response(status, headers=named)
        )

    return Gateway(answer)


def provider(
    wire: str, gateway: Gateway, /, *, key: str | None = KEY, base_url: str | None = None, **options: JsonValue
) -> HttpProvider:
    secret = SecretStr(key) if key is not None else None
    configured = settings(wire, base_url=base_url, options=options).model_copy(update={"api_key": secret})
    return HttpProvider(
        configured, format_class(wire)(configured), load_facts(wire), transport=httpx.MockTransport(gateway)
    )
