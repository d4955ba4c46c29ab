"""APIXO: `generateTask` and `statusTask`, one envelope for everything, times in milliseconds."""

import json
import secrets
from typing import Annotated, ClassVar, Final, Literal, cast

from pydantic import Field, JsonValue
from starlette.responses import JSONResponse, Response

from .apixo_models import MODELS, ApixoModel
from .behaviours import Behaviour, Word
from .calls import Call, Identity, Refusal, Route
from .checks import Documented
from .gateway import Gateway
from .hooks import Outgoing, field_of
from .jobs import Draft, Job, Trouble

_PAGE: Final = "APIXO's page of veo-3-1"
_ERRORS: Final = "APIXO's error pages"
_SUNO: Final = "clients that search Suno's result for addresses"


class _Create(Documented):
    request_type: Literal["async", "callback"] = "async"
    callback_url: Annotated[str, Field(pattern=r"^https?://")] = ""
    provider: Literal["auto", "value", "official"] = "auto"
    input: dict[str, JsonValue]
    source: str = ""


def _envelope(code: int, message: str, data: JsonValue = None, status: int = 200) -> Response:
    return JSONResponse({"code": code, "message": message, "data": data}, status)


def _error(code: int, message: str) -> Response:
    return _envelope(code, message, None, code)


_MESSAGES: Final = {
    400: "Invalid parameters",
    401: "Invalid or missing API Key",
    402: "Insufficient balance",
    403: "Content violates policy",
    404: "Task not found",
    429: "Rate limit exceeded",
    500: "Internal server error",
    503: "Service unavailable",
}

_REFUSALS: Final = {
    "no-credits": Refusal("400 Insufficient credits", _PAGE, lambda: _error(400, "Insufficient credits")),
    "no-credits-402": Refusal("402 Insufficient balance", _ERRORS, lambda: _error(402, "Insufficient balance")),
    "in-body-error": Refusal(
        "HTTP 200 whose body says code 400, Insufficient credits",
        "KIE.ai, the apparent ancestor",
        lambda: _envelope(400, "Insufficient credits"),
    ),
    "in-body-rate-limit": Refusal(
        "HTTP 200 whose body says code 429", "KIE.ai", lambda: _envelope(429, "Rate limit exceeded")
    ),
    "missing-field": Refusal(
        "400 with the reason in data.error",
        "APIXO's older page",
        lambda: _envelope(400, "error", {"error": "Missing required field: input.prompt"}, 400),
    ),
    "safety-403": Refusal("403 Content violates policy", _ERRORS, lambda: _error(403, "Content violates policy")),
    "bad-key-403": Refusal(
        "403 because the key lacks permission", "APIXO's older page", lambda: _error(403, "API key lacks permission")
    ),
    "unknown-model": Refusal("404 Model not found", _ERRORS, lambda: _error(404, "Model not found")),
    "rate-limit": Refusal("429 Rate limit exceeded", _PAGE, lambda: _error(429, "Rate limit exceeded")),
    "unavailable": Refusal("503 Service unavailable", _ERRORS, lambda: _error(503, "Service unavailable")),
    "sensitive-at-once": Refusal(
        "400 with a PascalCase provider error identifier",
        _ERRORS,
        lambda: _error(400, "SensitiveContentDetected: the prompt was refused"),
    ),
}


class Apixo(Gateway):
    identity = Identity("apixo", "APIXO", "APIXO_API_KEY", "apx_")
    refusals = _REFUSALS
    status_words: ClassVar = {
        "queued": "pending",
        "running": "processing",
        "succeeded": "success",
        "failed": "failed",
        "cancelled": "failed",
        "expired": "failed",
    }
    id_path = ("data", "taskId")
    troubles: ClassVar = {
        "content_violation": Trouble("CONTENT_VIOLATION", "Content does not meet safety guidelines"),
        "invalid_media": Trouble("INVALID_IMAGE_URL", "Cannot access provided image URL"),
        "invalid_input": Trouble("INVALID_PROMPT", "The prompt is not valid"),
        "timeout": Trouble("PROCESSING_TIMEOUT", "Processing took too long"),
        "provider_error": Trouble("GENERATION_FAILED", "Generation failed"),
        "insufficient_credits": Trouble("INSUFFICIENT_CREDITS", "Insufficient credits"),
    }
    own_behaviours = (
        Behaviour("errors-as-200", "switch", "every error is HTTP 200, its code in the body only", "KIE.ai"),
        Behaviour("result-object", "switch", "resultJson is an object, not a string", "proxies in KIE.ai's style"),
        Behaviour("result-junk", "switch", "resultJson is a string that is not JSON", "fault injection"),
        Behaviour("pascal-codes", "switch", "a content violation is failCode SensitiveContentDetected", _ERRORS),
        Behaviour("suno-nested", "switch", "results lie deep in resultJson as audio_url", _SUNO),
        Behaviour("no-times", "switch", "createTime and completeTime are 0", "times that are unset"),
    )

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/api/v1/generateTask/{model}", self.create, "json"),
            Route("GET", "/api/v1/statusTask/{model}", self.status, query=("taskId",)),
            Route("GET", "/api/v1/apikeys/current-balance", self.balance),
        )

    def error(self, status: int, message: str = "", code: str = "") -> Response:
        answer = _error(status, message or _MESSAGES.get(status, "error"))
        if self.switched("errors-as-200"):
            answer.status_code = 200
        return answer

    def new_id(self, draft: Draft, words: tuple[Word, ...]) -> str:
        return f"task_{secrets.randbelow(10**8):08}{len(self.world.jobs)}"

    async def create(self, call: Call) -> Response:
        answer = await self.submit(
            call, self._draft(call), lambda job: _envelope(200, "success", {"taskId": job.job_id})
        )
        if self.switched("errors-as-200"):
            answer.status_code = 200
        return answer

    def _draft(self, call: Call) -> Draft | Response:
        name = call.params["model"]
        model = MODELS.get(name)
        if model is None:
            return self.error(404, "Model not found")
        flaws = self.inspect(call, _Create, call.body)
        if flaws:
            return self.error(400, f"Invalid parameters: {flaws[0].field} {flaws[0].message}")
        inputs = cast(dict[str, JsonValue], call.fields["input"])
        flaws = self.inspect(call, model.inputs, inputs, "input")
        problem = f"{flaws[0].field} {flaws[0].message}" if flaws else self._combination(call, name, inputs)
        if problem:
            return self.error(400, f"Invalid parameters: {problem}")
        return Draft(name, str(inputs.get("prompt", "")), model.shape(inputs))

    def _combination(self, call: Call, name: str, inputs: dict[str, JsonValue]) -> str:
        """What the page forbids across fields."""
        problem = ""
        if call.text("request_type") == "callback" and not call.text("callback_url"):
            problem = "callback_url is required when request_type=callback"
        elif MODELS[name].official_only and call.fields.get("provider", "official") != "official":
            problem = "provider must be official"
        else:
            problem = MODELS[name].rule(inputs)
        if problem:
            self.violate(call, "refused-field", problem)
        return problem

    def hook(self, job: Job) -> Outgoing | None:
        return super().hook(job) if field_of(job, "request_type") == "callback" else None

    def told(self, job: Job) -> bytes:
        """APIXO's page of webhooks: the envelope of a look."""
        return bytes(self.view(job).body)

    async def status(self, call: Call) -> Response:
        job = self.job(call.query("taskId"))
        if job is None or job.draft.model != call.params["model"]:
            return self.error(404, "Task not found")
        if self._unreachable_images(job):
            job.ending, job.trouble = "failed", self.troubles["invalid_media"]
        return await self.look(job, self.view)

    def _unreachable_images(self, job: Job) -> bool:
        inputs = job.body.get("input") if isinstance(job.body, dict) else None
        images = inputs.get("image_urls") if isinstance(inputs, dict) else None
        return isinstance(images, list) and any(not str(url).startswith(("https://", "http://")) for url in images)

    def view(self, job: Job) -> Response:
        data: dict[str, JsonValue] = {
            "taskId": job.job_id,
            "state": self.status_word(job),
            "createTime": self._milliseconds(job, job.created_at),
        }
        if job.finished_at is not None:
            data["completeTime"] = self._milliseconds(job, job.finished_at)
            data["costTime"] = int(1000 * (job.finished_at - job.created_at))
        urls = self.urls(job)
        if urls:
            data["resultJson"] = self._result(job, urls)
        if job.phase == "cancelled":
            data |= {"failCode": "CANCELLED", "failMsg": "Task was cancelled"}
        elif job.trouble is not None and job.phase == "failed":
            data |= self._failure(job, job.trouble)
        return _envelope(200, "success", data)

    def _failure(self, job: Job, trouble: Trouble) -> dict[str, JsonValue]:
        pascal = trouble.code == "CONTENT_VIOLATION" and self.switched("pascal-codes", job)
        return {"failCode": "SensitiveContentDetected" if pascal else trouble.code, "failMsg": trouble.message}

    def _result(self, job: Job, urls: list[str]) -> JsonValue:
        if self.switched("result-junk", job):
            return '{"resultUrls": ["http'
        result: dict[str, JsonValue] = {"resultUrls": list(urls)}
        if self.switched("suno-nested", job):
            result = {"data": {"tracks": [{"title": "track", "audio_url": url} for url in urls]}}
        return result if self.switched("result-object", job) else json.dumps(result)

    def _milliseconds(self, job: Job, seconds: float) -> int:
        return 0 if self.switched("no-times", job) else int(seconds * 1000)

    async def balance(self, call: Call) -> Response:
        return self.later("read", _envelope(200, "success", 74.87))


__all__ = ["Apixo", "ApixoModel"]
