"""Shuyou AI's predictions: one POST for video, image and audio, told apart by `function`.

Options of a provider with this format:

    duration         `as-documented` (default: what the model's page says), `integer` or `string`
    audio_function   `audio` (default) or `textToSpeech`, as the vendor's Chinese pages have it

In `provider_options`, `webhook` goes beside the input; all other names go into it.
"""

import re
from collections.abc import Mapping

from pydantic import AliasChoices, Field, JsonValue

from ...domain.errors import Charged, FailureReason, RequestRefused
from ...domain.job import Job, JobState, Observation, Plan, Submission, Told
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest
from ..client.reply import Reply
from ..format import Call, Fault, Format, Unintelligible, job_id_of, kinds_given, segment
from ..provider import AccountCheck, ProviderSettings
from .compose import Composer, upper
from .listed_prices import shuyou_prices
from .live import live_rows
from .observe import observed, state_of
from .openai_media import cost_of
from .readings import (
    Object,
    Text,
    WireModel,
    parse_balance,
    parse_metrics,
    parse_object,
    path_of,
    read,
    remote_outputs,
    urls_in,
)
from .reasons import (
    first_text,
    has_error_object,
    http_status,
    of_submission,
    reason_in,
    reason_of_refusal,
)

STATES: Mapping[str, JobState] = {
    "processing": "running",
    "success": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    # From an older revision of the pages.
    "succeeded": "succeeded",
    # Not documented, and clear.
    "pending": "queued",
    "queued": "queued",
    "running": "running",
}

REASONS: Mapping[str, FailureReason] = {
    "invalid_params": "invalid_input",
    "insufficient_credit": "insufficient_credits",
    "reject_no_credit": "insufficient_credits",
    "quote_exceeded": "insufficient_credits",
    "access_denied": "unauthorized",
    "safety_check_failed": "content_violation",
    "invalid_model": "unsupported",
    "model_not_available": "unsupported",
    "model_not_supported": "unsupported",
    "provider_unprocessable_entity_error": "invalid_input",
    "rate_limit": "rate_limited",
    "internal_server_error": "provider_error",
    "provider_api_error": "provider_error",
    "provider_error": "provider_error",
    "no_provider_available": "provider_error",
}
"""By `error.type`: a bad key and a safety refusal are both HTTP 403."""

_SUCCESS_CODES = frozenset({"0", "200", "success"})


class Envelope(WireModel):
    code: Text = None
    data: Object = None
    usage: Object = None
    error: JsonValue = None
    message: JsonValue = None
    msg: JsonValue = None


class Task(WireModel):
    task_id: JsonValue = None
    task_status: Text = Field(default=None, validation_alias=AliasChoices("task_status", "status"))
    """Called `status` in an older revision of the pages."""
    output: JsonValue = None
    error: JsonValue = None
    message: JsonValue = None
    fail_reason: JsonValue = None


class Shuyou(Format):
    states = STATES
    hook_fields = ("webhook",)

    def callback(self, plan: Plan, address: str) -> dict[str, JsonValue]:
        return {"webhook": address}

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings)
        self._duration = self.option("duration", "as-documented", ("as-documented", "integer", "string"))
        self._audio_function = self.option("audio_function", "audio", ("audio", "textToSpeech"))

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        compose = Composer(request, facts, self.name)
        compose.put("prompt", request.prompt, "prompt")
        {"video": self._video, "image": self._image, "audio": self._audio}[request.kind](compose)
        inner, warnings = compose.finish(outside=("webhook",), inner="input", beside=("model", "function"))
        function = self._audio_function if request.kind == "audio" else request.kind
        body: dict[str, JsonValue] = {"model": facts.id, "function": function, **inner}
        return Plan(
            provider=self.name,
            model=facts.id,
            path="/v1/predictions",
            body=body,
            details={"kind": request.kind},
            warnings=tuple(warnings),
            instead=compose.instead,
        )

    def _video(self, compose: Composer) -> None:
        compose.send("aspect_ratio", "aspect_ratio")
        compose.send("resolution", "resolution", None if compose.facts.wire.get("resolution_as_is") else upper)
        form = self._duration if self._duration != "as-documented" else compose.facts.wire.get("duration")
        compose.send_seconds("duration", as_text=form == "string")
        compose.send("audio", "generate_audio")
        compose.send("negative_prompt", "negative_prompt")
        compose.send("watermark", "watermark")
        compose.send_medium("first_frame_url", "image")
        compose.send_medium("last_frame_url", "last_frame")
        compose.send_media("reference_image_urls", "reference_image")
        compose.send_media("reference_video_urls", "reference_video")
        compose.send_media("reference_audio_urls", "reference_audio")

    def _image(self, compose: Composer) -> None:
        if compose.is_asked("size") and compose.is_asked("aspect_ratio"):
            raise RequestRefused("invalid_input", f"size wins over aspect_ratio on {self.name}: give one of the two")
        compose.send("aspect_ratio", "aspect_ratio")
        compose.send("size", "size")
        compose.send("resolution", "resolution", upper)
        compose.send("quality", "quality")
        # Taken by all; where a model has a field of its own for it, that one wins.
        compose.name_field("count", "num_images")
        compose.send("count", str(compose.facts.wire.get("count_field", "num_images")))
        compose.send("output_format", "output_format")
        compose.send_media("image_urls", "input_image")
        compose.send_medium("mask_url", "mask")

    def _audio(self, compose: Composer) -> None:
        longest = compose.facts.wire.get("instructions_characters_max")
        instructions = compose.request.instructions or ""
        if isinstance(longest, int) and len(instructions) > longest:
            message = f"instructions have {len(instructions)} characters; {compose.facts.name} takes at most {longest}"
            raise RequestRefused("invalid_input", message)
        for name in ("voice", "language", "speed"):
            compose.send(name, name)
        compose.send("instructions", "style_instructions")
        compose.send("output_format", str(compose.facts.wire.get("output_format_field", "output_format")))

    def fault(self, reply: Reply, *, submitting: bool, given: frozenset[str] | None = None) -> Fault | None:
        envelope = read(Envelope, reply.body) if isinstance(reply.body, dict) else Envelope()
        if reply.ok and (_is_success(envelope) or _has_task(envelope)):
            return None
        error = parse_object(envelope.error) or {}
        message = first_text(error.get("message"), envelope.error, envelope.message, envelope.msg) or reply.text
        kind = first_text(error.get("type"))
        reason = REASONS.get(kind or "")
        if reason is None:
            reason = reason_of_refusal(self.status_told(reply), message, given)
        if reply.ok and reason == "provider_error":
            reason = reason_in(message, given=given) or reason
        code = kind or first_text(error.get("code")) or envelope.code or str(reply.status)
        fault = Fault(reason, message or f"HTTP {reply.status}", code)
        return of_submission(fault) if submitting else fault

    def is_own_error(self, reply: Reply) -> bool:
        body: dict[str, JsonValue] = reply.body if isinstance(reply.body, dict) else {}
        return has_error_object(body)

    def status_told(self, reply: Reply) -> int:
        """A look may answer 200 with a `code` other than "0", an HTTP status as text; a create may well do so too."""
        envelope = read(Envelope, reply.body) if isinstance(reply.body, dict) else Envelope()
        if not reply.ok or _is_success(envelope) or _has_task(envelope):
            return reply.status
        error = parse_object(envelope.error) or {}
        told = http_status(error.get("code")) or http_status(envelope.code)
        if told is not None:
            return told
        reason = REASONS.get(first_text(error.get("type")) or "", "provider_error")
        return 500 if reason == "provider_error" else 400

    def submission(self, plan: Plan, reply: Reply) -> Submission:
        task = read(Task, read(Envelope, reply.body).data)
        job = Job(job_id=job_id_of(task.task_id), model=plan.model, details=plan.details)
        return Submission(job=job, observation=self._observation(job, task, Envelope(), reply))

    def poll_call(self, job: Job) -> Call:
        return Call(f"/v1/predictions/{segment(job.job_id)}")

    def observation(self, job: Job, reply: Reply) -> Observation:
        envelope = read(Envelope, reply.body)
        if not _has_task(envelope):
            raise Unintelligible("the answer holds no task")
        return self._observation(job, read(Task, envelope.data), envelope, reply)

    def _observation(self, job: Job, task: Task, envelope: Envelope, reply: Reply) -> Observation:
        state, notes = state_of(task.task_status, STATES)
        cost = cost_of(envelope.usage)
        charged: Charged = "unknown" if cost is None else "yes" if cost.amount > 0 else "no"
        return observed(
            state,
            gateway=self.name,
            outputs=remote_outputs(_output_urls(task.output, job.details.get("kind")), reply.received_at),
            fault=_task_fault(task, envelope, kinds_given(job.details)),
            charged=charged,
            cost=cost,
            notes=notes,
            told=Told(metrics=parse_metrics(envelope.usage)),
        )

    def account_call(self) -> Call | None:
        return Call("/v1/credits")

    def account(self, reply: Reply) -> AccountCheck:
        data = parse_object(reply.body.get("data")) if isinstance(reply.body, dict) else None
        balance = parse_balance(data.get("balance")) if data else None
        if balance is None:
            return AccountCheck(ok=True, message="the key works; the balance could not be read")
        return AccountCheck(
            ok=True, message=f"the key works; balance {balance:.2f} USD", balance=balance, currency="USD"
        )

    def models_call(self) -> Call | None:
        return Call("/v1/models")

    def live_models(self, reply: Reply) -> list[ModelFacts]:
        return live_rows(reply, "Shuyou GET /v1/models", shuyou_prices)


def _is_success(envelope: Envelope) -> bool:
    """The answer to the POST has no `code`; that to a poll has the text `"0"`."""
    return not envelope.error and (envelope.code is None or envelope.code in _SUCCESS_CODES)


def _has_task(envelope: Envelope) -> bool:
    return envelope.data is not None and bool({"task_status", "status"} & envelope.data.keys())


_BESIDE = re.compile(r"cover|thumb|poster|preview|snapshot|first_?frame|last_?frame|input|reference", re.IGNORECASE)
"""Names of what stands beside a result and is not the result."""

_ENDINGS: Mapping[str, str] = {
    "video": r"\.(mp4|mov|webm|mkv|m4v)$",
    "image": r"\.(png|jpe?g|webp|gif|avif)$",
    "audio": r"\.(mp3|wav|flac|ogg|opus|m4a|aac|pcm)$",
}


def _output_urls(output: JsonValue, kind: JsonValue) -> list[str]:
    """Items are `{type: "image", image: URL}`, the URL's key named by the type; the shape of the others is in no page.

    So the key decides: the type's own, `url`, then keys that hold the type's name, then an ending of the type, then any
    that does not tell of something beside the result. A cover is never taken for a video.
    """
    rows = output if isinstance(output, list) else [output]
    of_the_kind = [row for row in rows if isinstance(row, dict) and row.get("type") == kind]
    found: list[str] = []
    for item in of_the_kind or rows:
        row = parse_object(item)
        found += urls_in(item)[:1] if row is None else _best_urls(row, first_text(row.get("type"), kind) or "")
    return list(dict.fromkeys(found))


def _best_urls(row: dict[str, JsonValue], kind: str) -> list[str]:
    named = urls_in(row.get(kind)) or urls_in(row.get(f"{kind}_url")) or urls_in(row.get("url"))
    if named:
        return named
    rest = {name: urls_in(value) for name, value in row.items() if not _BESIDE.search(name)}
    of_the_kind = [urls for name, urls in rest.items() if kind and kind in name.casefold() and urls]
    if of_the_kind:
        return of_the_kind[0]
    candidates = [url for urls in rest.values() for url in urls]
    ending = _ENDINGS.get(kind)
    fitting = [url for url in candidates if ending and re.search(ending, path_of(url), re.IGNORECASE)]
    return (fitting or candidates)[:1]


def _task_fault(task: Task, envelope: Envelope, given: frozenset[str] | None) -> Fault | None:
    """How a failed task tells its reason is not documented; these places are looked at in order."""
    for error in (parse_object(task.error), parse_object(envelope.error)):
        message = first_text(error.get("message")) if error else None
        if error is not None and message is not None:
            kind = first_text(error.get("type"), error.get("code"))
            reason = REASONS.get(kind or "")
            if reason is None or reason == "provider_error":
                reason = reason_in(f"{kind or ''}. {message}", given=given) or "provider_error"
            return Fault(reason, message, kind)
    message = first_text(task.error, task.message, task.fail_reason, envelope.message, envelope.msg, envelope.error)
    return None if message is None else Fault(reason_in(message, given=given) or "provider_error", message)
