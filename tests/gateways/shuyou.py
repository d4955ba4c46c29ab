"""Shuyou: one create for image, video and audio; `code` only on a look, as the string "0"; a bad key is a 403."""

import secrets
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal, cast

from pydantic import Field, JsonValue
from starlette.responses import JSONResponse, Response

from .behaviours import Behaviour, Moment, Word
from .calls import Call, Identity, Refusal, Route
from .checks import Documented
from .gateway import Gateway
from .jobs import Draft, Job, Shape, Trouble
from .offers import signature
from .prices import shuyou_pricing, shuyou_usage
from .shuyou_models import MODELS, ShuyouModel

_CREATE: Final = "Shuyou's page create-prediction"
_GET: Final = "Shuyou's page get-prediction"
_ERRORS: Final = "Shuyou's page of error codes"
_UNSHOWN: Final = "not shown on Shuyou's pages"


class _Create(Documented):
    model: Annotated[str, Field(min_length=1)]
    function: Literal["image", "video", "audio", "textToSpeech"]
    input: dict[str, JsonValue]
    webhook: Annotated[str, Field(pattern=r"^https://|^http://127\.0\.0\.1[:/]")] = ""
    """https, as the page has it; this gateway is on this machine, and so may be who it calls."""


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"error": {"code": str(status), "type": kind, "message": message}}, status)


_KINDS: Final = {
    400: "invalid_params",
    401: "access_denied",
    402: "insufficient_credit",
    403: "access_denied",
    404: "invalid_model",
    413: "invalid_params",
    422: "provider_unprocessable_entity_error",
    429: "rate_limit",
    500: "internal_server_error",
    502: "no_provider_available",
    520: "provider_internal_server_error",
    524: "provider_internal_server_error",
}

_TABLE: Final = (
    ("invalid-params", 400, "invalid_params", "duration is not valid"),
    ("no-credits", 402, "insufficient_credit", "Insufficient credit"),
    ("reject-no-credit", 402, "reject_no_credit", "No credit"),
    ("quote-exceeded", 402, "quote_exceeded", "Quota exceeded"),
    ("bad-key-403", 403, "access_denied", "Invalid API key"),
    ("safety-403", 403, "safety_check_failed", "The request was refused by the safety check"),
    ("unknown-model", 404, "invalid_model", "The model does not exist"),
    ("model-not-available", 404, "model_not_available", "The model is not available"),
    ("model-not-supported", 404, "model_not_supported", "The model is not supported here"),
    ("prompt-too-long", 413, "invalid_params", "The prompt is too long"),
    ("unprocessable", 422, "provider_unprocessable_entity_error", "The provider could not process the request"),
    ("rate-limit", 429, "rate_limit", "Too many requests"),
    ("server-error", 500, "internal_server_error", "Internal error"),
    ("provider-api-error", 500, "provider_api_error", "The provider failed"),
    ("no-provider", 502, "no_provider_available", "No provider available"),
    ("provider-520", 520, "provider_internal_server_error", "The provider failed"),
    ("provider-timeout", 524, "provider_internal_server_error", "The provider timed out"),
)


def _refusal(status: int, kind: str, message: str) -> Refusal:
    return Refusal(f"{status} {kind}", _ERRORS, lambda: _error(status, kind, message))


class Shuyou(Gateway):
    identity = Identity("shuyou", "SHUYOU", "SHUYOU_API_KEY", key_headers=("x-api-key", "x-goog-api-key"))
    refusals: ClassVar = {name: _refusal(status, kind, message) for name, status, kind, message in _TABLE}
    status_words: ClassVar = {
        "queued": "processing",
        "running": "processing",
        "succeeded": "success",
        "failed": "failed",
        "cancelled": "cancelled",
        "expired": "failed",
    }
    id_path = ("data", "task_id")
    may_be_empty = frozenset({"input.image_urls"})
    troubles: ClassVar = {
        "content_violation": Trouble("safety_check_failed", "The content was refused by the safety check"),
        "invalid_media": Trouble("invalid_params", "The image could not be downloaded"),
        "invalid_input": Trouble("invalid_params", "The input is not valid"),
        "timeout": Trouble("provider_timeout", "The provider timed out"),
        "insufficient_credits": Trouble("insufficient_credit", "Insufficient credit"),
        "provider_error": Trouble("provider_error", "The provider failed"),
    }
    own_behaviours = (
        Behaviour("poll-code", "poll", 'a look answers 200 whose code is not "0"', _GET, ("CODE",)),
        Behaviour("failure-form", "switch", "where the reason of a failure stands: error, error-text, data-message, "
                  "fail-reason, message, msg, nothing", _UNSHOWN, ("FORM",)),
        Behaviour("output-item", "switch", "an output's form: typed, url, other, text, object", _UNSHOWN, ("FORM",)),
        Behaviour("duration-form", "switch", "only this form of duration is accepted: string, integer", _CREATE,
                  ("FORM",)),
        Behaviour("audio-function", "switch", "audio tasks need the function textToSpeech", "Shuyou's Chinese pages"),
        Behaviour("ignore-wrong-input", "switch", "wrong input fields are ignored, not refused", _CREATE),
        Behaviour("old-words", "switch", "a look has `status` succeeded instead of task_status", "older Shuyou pages"),
        Behaviour("no-usage", "switch", "no usage beside the result", _GET),
    )  # fmt: skip

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/v1/predictions", self.create, "json"),
            Route("GET", "/v1/predictions/{task_id}", self.status),
            Route("GET", "/v1/credits", self.credits),
            Route("GET", "/v1/models", self.models),
        )

    def answer_headers(self) -> Mapping[str, str]:
        return {"X-ShuYou-RequestId": secrets.token_hex(16)}

    def error(self, status: int, message: str = "", code: str = "") -> Response:
        return _error(status, code or _KINDS.get(status, "provider_error"), message or "The request failed")

    def unauthorised(self) -> Response:
        return _error(403, "access_denied", "Invalid, expired or missing API key")

    def new_id(self, draft: Draft, words: tuple[Word, ...]) -> str:
        return secrets.token_hex(16)

    def signed_query(self, job: Job, expires_at: float) -> str:
        return f"e={int(expires_at)}&token={signature(self.world, job.job_id + str(int(expires_at)))}"

    async def create(self, call: Call) -> Response:
        return await self.submit(
            call,
            self._draft(call),
            lambda job: JSONResponse({"data": {"task_id": job.job_id, "task_status": "processing"}}),
        )

    def _draft(self, call: Call) -> Draft | Response:
        flaws = self.inspect(call, _Create, call.body)
        model = MODELS.get(call.text("model"))
        inputs = call.fields.get("input")
        if flaws or not isinstance(inputs, dict):
            return _error(400, "invalid_params", "; ".join(f"{flaw.field}: {flaw.message}" for flaw in flaws))
        if model is None:
            return _error(404, "invalid_model", f"The model {call.text('model')} does not exist")
        if self._function(call, model) != call.text("function"):
            return _error(400, "invalid_params", f"function: {call.text('model')} is not of this function")
        if len(str(inputs.get("prompt"))) > model.prompt_max:
            self.violate(call, "refused-field", f"input.prompt: longer than {model.prompt_max} characters")
            return _error(413, "invalid_params", "The prompt is too long")
        problem = self._input_problem(call, model, inputs)
        if problem and not self.switched("ignore-wrong-input", prompt=_prompt(call)):
            return _error(400, "invalid_params", problem)
        return Draft(call.text("model"), str(inputs["prompt"]), _shape(model, inputs))

    def _function(self, call: Call, model: ShuyouModel) -> str:
        renamed = model.function == "audio" and self.switched("audio-function", prompt=_prompt(call)) is not None
        return "textToSpeech" if renamed else model.function

    def _input_problem(self, call: Call, model: ShuyouModel, inputs: dict[str, JsonValue]) -> str:
        form = self.switched("duration-form", prompt=_prompt(call))
        duration = inputs.get("duration")
        if form and duration is not None and isinstance(duration, str) != (form.argument(0, "") == "string"):
            return f"input.duration: must be {form.argument(0, '')}"
        as_integer = int(duration) if isinstance(duration, str) and duration.isdigit() else duration
        checked = inputs if duration is None else {**inputs, "duration": as_integer}
        flaws = self.record(call, model.inspect(checked), checked, "input")
        return "; ".join(f"{flaw.field}: {flaw.message}" for flaw in flaws)

    def told(self, job: Job) -> bytes:
        """No page shows it."""
        return bytes(self.view(job).body)

    async def status(self, call: Call) -> Response:
        job = self.job(call.params["task_id"])
        if job is None:
            return _error(404, "not_found", "The task does not exist")
        return await self.look(job, self.view)

    def spoilt(self, word: Word, moment: Moment, genuine: Response) -> Response:
        if word.name == "poll-code":
            return JSONResponse({"code": word.argument(0, "500"), "message": "internal error", "data": None})
        return super().spoilt(word, moment, genuine)

    def view(self, job: Job) -> Response:
        old = self.switched("old-words", job) is not None
        status = "succeeded" if old and job.phase == "succeeded" else self.status_word(job)
        data: dict[str, JsonValue] = {"task_id": job.job_id, "status" if old else "task_status": status}
        content: dict[str, JsonValue] = {"code": "0", "data": data, "request_id": secrets.token_hex(16)}
        urls = self.urls(job)
        if urls:
            data["output"] = [self._item(job, url) for url in urls]
            if not self.switched("no-usage", job):
                content["usage"] = shuyou_usage(job)
        if job.phase == "failed" and job.trouble is not None:
            self._add_failure(job, job.trouble, content, data)
        return JSONResponse(content)

    def _item(self, job: Job, url: str) -> JsonValue:
        kind, form = job.draft.shape.kind, self.switched("output-item", job)
        forms: dict[str, JsonValue] = {
            "typed": {"type": kind, kind: url},
            "url": {"type": kind, "url": url},
            "other": {"type": kind, "name": "result", f"{kind}_address": url},
            "text": url,
            "object": {"type": kind, kind: {"url": url}},
        }
        return forms[form.argument(0, "typed") if form else "typed"]

    def _add_failure(
        self, job: Job, trouble: Trouble, content: dict[str, JsonValue], data: dict[str, JsonValue]
    ) -> None:
        form = self.switched("failure-form", job)
        forms: dict[str, tuple[dict[str, JsonValue], str, JsonValue]] = {
            "error": (data, "error", {"code": "400", "type": trouble.code, "message": trouble.message}),
            "error-text": (data, "error", trouble.message),
            "data-message": (data, "message", trouble.message),
            "fail-reason": (data, "fail_reason", trouble.message),
            "message": (content, "message", trouble.message),
            "msg": (content, "msg", trouble.message),
        }
        name = form.argument(0, "error") if form else "error"
        if name in forms:
            holder, key, value = forms[name]
            holder[key] = value

    async def credits(self, call: Call) -> Response:
        content = {"data": {"total_credits": 100.0, "total_usage": 25.13, "balance": 74.87}}
        return self.later("read", JSONResponse(content))

    async def models(self, call: Call) -> Response:
        rows = [_listed(name, model) for name, model in MODELS.items()]
        return self.later("read", JSONResponse({"object": "list", "data": rows}))


def _prompt(call: Call) -> str:
    inputs = call.fields.get("input")
    return str(inputs.get("prompt")) if isinstance(inputs, dict) else ""


def _listed(name: str, model: ShuyouModel) -> dict[str, JsonValue]:
    return {
        "id": name,
        "slug": name,
        "name": name,
        "created": 1_767_965_610_929,
        "input_modalities": ["text"],
        "output_modalities": [model.function],
        "capabilities": [],
        "supported_parameters": ["prompt", *model.fields],
        "pricing": shuyou_pricing(model.function),
    }


def _shape(model: ShuyouModel, inputs: dict[str, JsonValue]) -> Shape:
    if model.function == "video":
        duration = inputs.get("duration", model.duration_default)
        return Shape("video", "mp4", 1, str(inputs.get("aspect_ratio", "16:9")), float(str(duration)))
    if model.function == "image":
        count = cast(int, inputs.get("n", inputs.get("num_images", 1)))
        ratio = str(inputs.get("aspect_ratio", inputs.get("size", "1:1")))
        return Shape("image", str(inputs.get("output_format", "png")), count, ratio)
    asked = str(inputs.get("format", inputs.get("output_format", "mp3")))
    return Shape("audio", "opus" if asked == "ogg_opus" else asked, duration_seconds=2)
