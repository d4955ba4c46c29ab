"""LLMGateway: OpenAI's videos with integer seconds, a content endpoint that wants the key, and a signed one."""

import json
import secrets
import time
from collections.abc import Mapping
from typing import ClassVar, Final, cast

from pydantic import JsonValue
from starlette.responses import JSONResponse, Response

from .behaviours import Behaviour, Word
from .calls import Call, Identity, Refusal, Route
from .delivery import deliver
from .hooks import Outgoing, address_in, field_of, signed
from .jobs import Draft, Job, Shape, Trouble
from .llmgateway_models import (
    FAMILIES,
    CreateImage,
    CreateSpeech,
    CreateVideo,
    EditImage,
    combination_problem,
    family_of,
    media_problem,
    model_problem,
)
from .offers import as_form, signature
from .openai_forms import aspect_ratio, envelope
from .openai_media import SynchronousMedia
from .prices import llmgateway_pricing, llmgateway_usage

_PAGE: Final = "LLMGateway's page on video generation"
_ERRORS: Final = "LLMGateway's page on errors"
_LIMITS: Final = "LLMGateway's page on rate limits"
_SOURCE: Final = "LLMGateway's source"
_WEEK: Final = 7 * 24 * 3600

_TABLE: Final = (
    ("unsupported-model", 400, "Unsupported video model: veo-9", "model_not_found", _SOURCE),
    ("unsupported-parameters", 400, "Requested parameters are not supported for veo-3.1", None, _SOURCE),
    ("bad-image", 400, "Invalid image input: the image could not be fetched", None, _SOURCE),
    ("no-credits", 402, "Insufficient credits for the estimated cost of this request", None, _ERRORS),
    ("safety-403", 403, "The request was blocked by the gateway content filter", None, _ERRORS),
    ("bad-key-403", 403, "This API key is not allowed to use this model", None, _ERRORS),
    ("timeout-408", 408, "Request timed out", None, _ERRORS),
    ("retired-model", 410, "The model has been deactivated", None, _ERRORS),
    ("archived-project", 410, "The project has been archived", None, _ERRORS),
    ("too-large", 413, "Request body too large", None, _ERRORS),
    ("bad-media-type", 415, "Unsupported media type", None, _ERRORS),
    ("spend-cap-429", 429, "Daily spend limit of this API key reached", None, _LIMITS),
    ("all-providers-failed", 502, "All providers failed", "all_providers_failed", _ERRORS),
    ("gateway-timeout", 504, "Upstream timed out", "timeout", _ERRORS),
)


def _refusal(status: int, message: str, code: str | None, source: str) -> Refusal:
    return Refusal(f"{status} {message}", source, lambda: envelope(status, message, code=code))


def _with_retry_after(status: int, message: str, seconds: int) -> Response:
    answer = envelope(status, message)
    answer.headers["retry-after"] = str(seconds)
    return answer


_REFUSALS: Final = {
    **{name: _refusal(status, message, code, source) for name, status, message, code, source in _TABLE},
    "rate-limit": Refusal("429 with Retry-After 2", _LIMITS, lambda: _with_retry_after(429, "Rate limit exceeded", 2)),
    "overloaded": Refusal("529 with Retry-After 1", _ERRORS, lambda: _with_retry_after(529, "Overloaded", 1)),
}
_SPEECH_FORMATS: Final = {
    "gemini": ("wav", "pcm"),
    "eleven": ("mp3", "wav", "pcm", "opus"),
    "qwen": ("wav",),
}


class LlmGateway(SynchronousMedia):
    identity = Identity("llmgateway", "LLMGATEWAY", "LLMGATEWAY_API_KEY", "llmgtwy_", key_headers=("x-api-key",))
    refusals = _REFUSALS
    status_words: ClassVar = {
        "queued": "queued",
        "running": "in_progress",
        "succeeded": "completed",
        "failed": "failed",
        "cancelled": "canceled",
        "expired": "expired",
    }
    id_path = ("id",)
    image_model = CreateImage
    edit_model = EditImage
    speech_model = CreateSpeech
    image_default = "gemini-3-pro-image"
    troubles: ClassVar = {
        "content_violation": Trouble("content_filter", "The output was blocked by the provider's content filter"),
        "timeout": Trouble("timeout", "The video job did not complete in time"),
        "invalid_media": Trouble("invalid_image", "Invalid image input"),
        "provider_error": Trouble("poll_error", "Upstream provider error (502 Bad Gateway)"),
    }
    own_behaviours = (
        Behaviour("expired", "job", "ends in the status expired", _SOURCE),
        Behaviour("no-error-code", "switch", "a failure's error has no code", _SOURCE),
        Behaviour("no-content-field", "switch", "a completed video has no `content`", _SOURCE),
        Behaviour("content-field-only", "switch", "the content endpoint answers 404", _SOURCE),
        *SynchronousMedia.own_behaviours,
        Behaviour("no-progress", "switch", "progress is null", _SOURCE),
    )

    def routes(self) -> tuple[Route, ...]:
        listing = ("include_deactivated", "exclude_deprecated", "no_training")
        return (
            Route("POST", "/v1/videos", self.create, "json"),
            Route("GET", "/v1/videos/{id}", self.get),
            Route("GET", "/v1/videos/{id}/content", self.content),
            Route("GET", "/v1/videos/logs/{log_id}/content", self.signed_content, query=("token",), needs_key=False),
            Route("GET", "/v1/models", self.models, query=listing),
            Route("POST", "/v1/images/generations", self.create_image, "json"),
            Route("POST", "/v1/images/edits", self.edit_image, "json"),
            Route("POST", "/v1/audio/speech", self.create_speech, "json"),
            Route("GET", "/v1/credits", self.account),
            Route("GET", "/v1/key", self.key_status),
        )

    def answer_headers(self) -> Mapping[str, str]:
        return {"RateLimit-Policy": "120;w=60", "RateLimit-Limit": "120", "RateLimit-Remaining": "119"}

    def error(self, status: int, message: str = "", code: str = "") -> Response:
        return envelope(status, message or f"Request failed with status {status}", code=code or None)

    def unauthorised(self) -> Response:
        return envelope(401, "Invalid or missing API key", "invalid_api_key", "invalid_api_key")

    def new_id(self, draft: Draft, words: tuple[Word, ...]) -> str:
        return f"video_{secrets.token_hex(12)}"

    def prepare(self, job: Job) -> None:
        super().prepare(job)
        if job.word("expired"):
            job.ending = "expired"

    async def create(self, call: Call) -> Response:
        return await self.submit(call, self._draft(call), lambda job: JSONResponse(self.video(job)))

    def _draft(self, call: Call) -> Draft | Response:
        flaws = self.inspect(call, CreateVideo, call.body)
        if flaws:
            return envelope(400, f"{flaws[0].field}: {flaws[0].message}", param=flaws[0].field)
        model = call.text("model") or "veo-3.1-generate-preview"
        family = family_of(model)
        if family is None:
            self.violate(call, "refused-field", f"model: {model}")
            return envelope(400, f"Unsupported video model: {model}", code="model_not_found", param="model")
        combination = combination_problem(call.fields)
        problem = combination or media_problem(call.fields) or model_problem(call.fields, family)
        if problem:
            self.violate(call, "refused-field", problem)
            return envelope(400, problem, code="unsupported_parameter_combination" if combination else None)
        ratio = aspect_ratio(call.text("size") or "1280x720")
        return Draft(model, call.text("prompt"), Shape("video", "mp4", 1, ratio, cast(int, call.fields["seconds"])))

    def hook(self, job: Job) -> Outgoing | None:
        """LLMGateway's source: an event around the video, signed with the secret's own bytes."""
        url, secret = address_in(job), str(field_of(job, "callback_secret"))
        if url is None:
            return None
        kind = "video.completed" if job.phase in ("succeeded", "queued", "running") else "video.failed"
        event = {"object": "event", "id": f"evt_{job.job_id}", "type": kind, "created_at": int(time.time())}
        body = json.dumps({**event, "data": self.video(job)}).encode()
        return Outgoing(url, body, signed(body, f"evt_{job.job_id}", secret.encode()))

    async def get(self, call: Call) -> Response:
        job = self.job(call.params["id"])
        if job is None or job.draft.shape.kind != "video":
            return envelope(404, "Video not found")
        return await self.look(job, lambda job: JSONResponse(self.video(job)))

    def video(self, job: Job) -> dict[str, JsonValue]:
        """The object of the create and of every look."""
        shown: dict[str, JsonValue] = {
            "id": job.job_id,
            "object": "video",
            "model": job.draft.model,
            "status": self.status_word(job),
            "progress": None if self.switched("no-progress", job) else job.percent,
            "created_at": int(job.created_at),
            "completed_at": int(job.finished_at) if job.finished_at else None,
            "expires_at": None,
            "error": self._error_of(job),
        }
        if self._has_output(job) and not self.switched("no-content-field", job):
            shown["content"] = [{"type": "video", "url": self._signed_url(job), "mime_type": "video/mp4"}]
        if job.phase == "succeeded":
            shown["usage"] = llmgateway_usage(job)
        return shown

    def _has_output(self, job: Job) -> bool:
        return bool(self.urls(job))

    def _signed_url(self, job: Job) -> str:
        """Signed anew at each look, valid for seven days."""
        lifetime = job.word("output-expires-in")
        expires = int(time.time() + (lifetime.number(0, _WEEK) if lifetime else _WEEK))
        token = f"{expires}.{signature(self.world, f'{job.number}.{expires}')}"
        base = f"{self.world.origins.gateways}/{self.name}"
        url = f"{base}/v1/videos/logs/log_{job.number}/content?token={token}"
        job.output_urls = [as_form(job, url)]
        return job.output_urls[0]

    def _error_of(self, job: Job) -> JsonValue:
        if job.phase == "expired":
            return {"code": "expired", "message": "The video job expired"}
        if job.phase != "failed" or job.trouble is None:
            return None
        error: dict[str, JsonValue] = {"message": job.trouble.message}
        if not self.switched("no-error-code", job):
            error["code"] = job.trouble.code
        return error

    async def content(self, call: Call) -> Response:
        job = self.job(call.params["id"])
        if job is None or self.switched("content-field-only", job):
            return envelope(404, "Video content not found")
        if job.phase != "succeeded":
            return envelope(409, "Video is not completed yet", "conflict", "video_not_ready")
        if not self._has_output(job):
            return envelope(404, "Video content is not available")
        return await deliver(self.world, job, 0, call.request, self._download_error)

    def _download_error(self, status: int) -> Response:
        return self.error(status)

    async def signed_content(self, call: Call) -> Response:
        expires, _, sign = call.query("token").partition(".")
        number = call.params["log_id"].removeprefix("log_")
        job = next((job for job in self.world.jobs_of(self.name) if str(job.number) == number), None)
        if call.entry.authorization != "absent":
            self.world.violation("key-elsewhere", self.name, "a signed address needs no key", call.entry.number)
        if job is None or sign != signature(self.world, f"{number}.{expires}") or float(expires) < time.time():
            return envelope(401, "Invalid or expired token")
        return await deliver(self.world, job, 0, call.request, self._download_error)

    def speech_formats(self, model: str) -> tuple[str, ...]:
        return next((row for name, row in _SPEECH_FORMATS.items() if name in model), super().speech_formats(model))

    async def models(self, call: Call) -> Response:
        rows: list[JsonValue] = [
            {
                "id": family.model,
                "name": family.model,
                "family": family.provider,
                "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["video"]},
                "providers": [{"providerId": family.provider, "supportedVideoSizes": list(family.sizes)}],
                "pricing": llmgateway_pricing(family.model),
                "per_request_limits": {"max_video_duration_seconds": str(max(family.seconds))},
            }
            for family in FAMILIES
        ]
        return self.later("read", JSONResponse({"data": rows}))

    async def account(self, call: Call) -> Response:
        """What the organisation has left, as texts (source of LLMGateway: `aisdk/credits.ts`)."""
        return self.later("read", JSONResponse({"balance": "12.5", "total_used": "87.50"}))

    async def key_status(self, call: Call) -> Response:
        """What the key has used and may use (source of LLMGateway: `key/key.ts`)."""
        data: dict[str, JsonValue] = {"label": "a key", "usage": "3.2", "limit": None, "devPlan": "none"}
        return self.later("read", JSONResponse({"data": data}))
