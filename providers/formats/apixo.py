"""APIXO's tasks: every reply is `{code, message, data}`, and a task is polled under its model's path.

Other names in `provider_options` go into `input`; `provider` (auto, value, official), `callback_url`, `request_type`
and `source` go beside it, as the page has them.
"""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import JsonValue
from pydantic_core import from_json

from ...domain.errors import FailureReason, RequestRefused
from ...domain.job import Job, JobState, Observation, Plan, Submission, Told
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest
from ..client.reply import Reply
from ..format import Call, Fault, Format, Unintelligible, job_id_of, kinds_given, segment
from ..provider import AccountCheck
from .compose import Composer, upper
from .observe import observed, state_of
from .readings import Moment, Number, Text, WireModel, parse_balance, read, remote_outputs, urls_in
from .reasons import first_text, http_status, of_submission, reason_in, reason_of_refusal

STATES: Mapping[str, JobState] = {
    "pending": "queued",
    "processing": "running",
    "success": "succeeded",
    "failed": "failed",
    # Words of the format's relatives.
    "waiting": "queued",
    "queuing": "queued",
    "generating": "running",
    "fail": "failed",
}

RESULT_LIFETIME = timedelta(days=15)

FAIL_CODES: Mapping[str, FailureReason] = {
    "contentviolation": "content_violation",
    "nsfwdetected": "content_violation",
    "nsfw": "content_violation",
    "sensitivecontent": "content_violation",
    "sensitivecontentdetected": "content_violation",
    "inputimagesensitivecontentdetected": "content_violation",
    "inputoutputsensitivecontentdetected": "content_violation",
    "prohibitedcontentdetected": "content_violation",
    "invalidprompt": "invalid_input",
    "prompttoolong": "invalid_input",
    "promptlengthexceeded": "invalid_input",
    "invalidimageurl": "invalid_media",
    "imagetoolarge": "invalid_media",
    "unsupportedformat": "invalid_media",
    "imagedownloadfailed": "invalid_media",
    "processingtimeout": "timeout",
    "modelunavailable": "provider_error",
    "generationfailed": "provider_error",
    "insufficientcredits": "insufficient_credits",
}
"""Two vocabularies are in use, `INVALID_PROMPT` and `InvalidPrompt`; these are without underscores, in lower case."""


class Envelope(WireModel):
    code: Number = None
    message: Text = None
    data: JsonValue = None


class TaskStatus(WireModel):
    state: Text = None
    resultJson: JsonValue = None  # noqa: N815
    failCode: Text = None  # noqa: N815
    failMsg: Text = None  # noqa: N815
    createTime: Moment = None  # noqa: N815
    completeTime: Moment = None  # noqa: N815
    costTime: Number = None  # noqa: N815


class Apixo(Format):
    states = STATES
    hook_fields = ("callback_url", "request_type")

    def callback(self, plan: Plan, address: str) -> dict[str, JsonValue]:
        return {"request_type": "callback", "callback_url": address}

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        compose = Composer(request, facts, self.name)
        shape = facts.wire.get("shape", request.kind)
        _SHAPES[str(shape)](compose)
        beside, warnings = compose.finish(outside=("provider", "callback_url", "request_type", "source"), inner="input")
        body: dict[str, JsonValue] = {"request_type": "async"}
        if "provider" in facts.wire:
            body["provider"] = facts.wire["provider"]
        if "callback_url" in beside:
            body["request_type"] = "callback"
        body |= beside
        if (body["request_type"] == "callback") != bool(body.get("callback_url")):
            message = (
                "callback_url and request_type callback go together: give callback_url in provider_options, or neither"
            )
            raise RequestRefused("invalid_input", message)
        return Plan(
            provider=self.name,
            model=facts.id,
            path=f"/api/v1/generateTask/{segment(facts.id)}",
            body=body,
            warnings=tuple(warnings),
            instead=compose.instead,
        )

    def fault(self, reply: Reply, *, submitting: bool, given: frozenset[str] | None = None) -> Fault | None:
        envelope = read(Envelope, reply.body) if isinstance(reply.body, dict) else Envelope()
        status = self.status_told(reply)
        if 200 <= status < 300:
            return None
        message = _message_of(envelope) or reply.text or f"HTTP {reply.status}"
        code = None if envelope.code is None else f"{envelope.code:.0f}"
        fault = Fault(_reason(status, message, given), message, code or str(reply.status))
        return of_submission(fault) if submitting else fault

    def is_own_error(self, reply: Reply) -> bool:
        envelope = read(Envelope, reply.body) if isinstance(reply.body, dict) else Envelope()
        return http_status(envelope.code) is not None and envelope.message is not None

    def status_told(self, reply: Reply) -> int:
        """The transport's status is trusted over the body's, but for 200, which says nothing."""
        envelope = read(Envelope, reply.body) if isinstance(reply.body, dict) else Envelope()
        if not reply.ok or envelope.code is None or envelope.code == 200:
            return reply.status
        return http_status(envelope.code) or 500

    def submission(self, plan: Plan, reply: Reply) -> Submission:
        data = read(Envelope, reply.body).data
        job_id = job_id_of(data.get("taskId") if isinstance(data, dict) else None)
        return Submission(job=Job(job_id=job_id, model=plan.model), observation=Observation(state="queued"))

    def poll_call(self, job: Job) -> Call:
        return Call(f"/api/v1/statusTask/{segment(job.model)}", {"taskId": job.job_id})

    def observation(self, job: Job, reply: Reply) -> Observation:
        data = read(Envelope, reply.body).data
        if not isinstance(data, dict):
            raise Unintelligible("the answer holds no task")
        task = read(TaskStatus, data)
        if task.state is None:
            raise Unintelligible("the answer tells no state")
        state, notes = state_of(task.state, STATES)
        done_at = task.completeTime or reply.received_at
        outputs = remote_outputs(_result_urls(task.resultJson), done_at, lifetime=RESULT_LIFETIME)
        return observed(
            state,
            gateway=self.name,
            outputs=outputs,
            fault=_task_fault(task, kinds_given(job.details)),
            notes=notes,
            told=_told(task),
        )

    def account_call(self) -> Call:
        return Call("/api/v1/apikeys/current-balance")

    def account(self, reply: Reply) -> AccountCheck:
        data = reply.body.get("data") if isinstance(reply.body, dict) else None
        balance = parse_balance(data)
        if balance is None:
            return AccountCheck(ok=True, message="the key works; the balance could not be read")
        return AccountCheck(
            ok=True, message=f"the key works; balance {balance:.2f} USD", balance=balance, currency="USD"
        )


def _veo(compose: Composer) -> None:
    """`generationType` follows from the media; references need mode fast and 16:9, which are then sent."""
    frames = compose.request.media_of("image") or compose.request.media_of("last_frame")
    references = compose.request.media_of("reference_image")
    compose.put("prompt", compose.request.prompt, "prompt")
    compose.send("quality", "mode", quiet=not references)
    kind = "REFERENCE_2_VIDEO" if references else "FIRST_AND_LAST_FRAMES_2_VIDEO" if frames else "TEXT_2_VIDEO"
    compose.put("generationType", kind, "the kind of input media")
    compose.send("aspect_ratio", "aspect_ratio")
    if references:
        compose.put("mode", compose.body["mode"], "reference_images (which need it)")
        compose.put("aspect_ratio", "16:9", "reference_images (which need it)")
    compose.send_media("image_urls", "image", "last_frame", "reference_image")
    if compose.value("watermark") is True:
        raise RequestRefused(
            "unsupported",
            "watermark true is not offered by veo-3.1 on apixo: it takes the watermark's text",
            hint='Give the text in provider_options: {"watermark": "…"}.',
        )
    compose.send("seed", "seed")


def _sora(compose: Composer) -> None:
    compose.put("prompt", compose.request.prompt, "prompt")
    _put_mode(compose, "video")
    compose.send_seconds("duration")
    compose.send("aspect_ratio", "aspect_ratio")
    compose.send("size", "size", lambda value: str(value).replace("x", "*"))
    compose.send("resolution", "resolution")
    compose.send_media("image_urls", "image")
    watermark = compose.value("watermark")
    if watermark is not None:
        compose.put("remove_watermark", not watermark, "watermark")


def _kling(compose: Composer) -> None:
    frames = bool(compose.request.media_of("image"))
    quality = compose.value("quality") or ("standard" if frames else "master")
    mode = f"{quality}-{'image' if frames else 'text'}-to-video"
    if compose.is_asked("quality"):
        compose.put("mode", mode, "quality")
    else:
        compose.fill("mode", mode)
        compose.tell_default("quality", "mode", quality)
    compose.put("prompt", compose.request.prompt, "prompt")
    compose.send_seconds("duration")
    compose.send("aspect_ratio", "aspect_ratio")
    compose.send("negative_prompt", "negative_prompt")
    compose.send_media("image_urls", "image", "last_frame")


def _suno(compose: Composer) -> None:
    compose.send("quality", "mode")
    compose.fill("customMode", value=False)
    compose.fill("instrumental", value=False)
    compose.put("prompt", compose.request.prompt, "prompt")


def _image(compose: Composer) -> None:
    edits = bool(compose.request.media_of("input_image"))
    compose.fill("mode", "image-to-image" if edits else "text-to-image")
    compose.put("prompt", compose.request.prompt, "prompt")
    compose.send("aspect_ratio", "aspect_ratio")
    compose.send("resolution", "resolution", upper)
    compose.send("output_format", "output_format")
    compose.send_media("image_urls", "input_image")


def _video(compose: Composer) -> None:
    _put_mode(compose, "video")
    compose.put("prompt", compose.request.prompt, "prompt")
    compose.send_seconds("duration")
    for name in ("aspect_ratio", "seed", "negative_prompt"):
        compose.send(name, name)
    compose.send_media("image_urls", "image", "last_frame")


def _audio(compose: Composer) -> None:
    compose.put("prompt", compose.request.prompt, "prompt")


def _put_mode(compose: Composer, kind: str) -> None:
    compose.fill("mode", f"image-to-{kind}" if compose.request.media else f"text-to-{kind}")


_SHAPES = {
    "veo": _veo,
    "sora": _sora,
    "kling": _kling,
    "suno": _suno,
    "image": _image,
    "video": _video,
    "audio": _audio,
}
"""The inputs differ from model to model: `mode` alone means quality, kind of task or version."""


def _message_of(envelope: Envelope) -> str | None:
    """The message, and the detail that an older form has in `data.error`."""
    data = envelope.data if isinstance(envelope.data, dict) else {}
    detail = first_text(data.get("error"), data.get("message"))
    return "; ".join(text for text in (envelope.message, detail) if text) or None


def _reason(status: int, message: str, given: frozenset[str] | None) -> FailureReason:
    """400 may mean a lack of credits, and 403 either the content or the key: two pages of the vendor differ."""
    by_code = _provider_identifier(message) if status in {400, 403} else None
    return by_code or reason_of_refusal(status, message, given)


def _provider_identifier(message: str) -> FailureReason | None:
    """An immediate error may carry a fail code as its message."""
    words = message.replace(":", " ").replace(";", " ").split()
    return next((FAIL_CODES[code] for word in words if (code := _bare(word)) in FAIL_CODES), None)


def _task_fault(task: TaskStatus, given: frozenset[str] | None) -> Fault | None:
    message = task.failMsg or task.failCode
    if message is None:
        return None
    reason = FAIL_CODES.get(_bare(task.failCode or ""))
    if reason is None or reason == "provider_error":
        reason = reason_in(f"{task.failCode or ''}. {message}", given=given) or "provider_error"
    return Fault(reason, message, task.failCode)


def _told(task: TaskStatus) -> Told:
    """`costTime` is in milliseconds."""
    took = {} if task.costTime is None else {"total_time": task.costTime / 1000}
    return Told(submitted_at=task.createTime, finished_at=task.completeTime, metrics=took)


def _bare(code: str) -> str:
    return code.replace("_", "").casefold()


def _result_urls(result: JsonValue) -> list[str]:
    """`resultJson` is JSON in a string (or an object): `{"resultUrls": […]}`; other shapes are searched for URLs."""
    if isinstance(result, str):
        try:
            parsed: JsonValue = from_json(result)
        except ValueError:
            parsed = result
        result = parsed
    if isinstance(result, dict):
        listed = urls_in(result.get("resultUrls"))
        return listed or _audio_urls(result) or urls_in(result)
    return urls_in(result)


def _audio_urls(result: JsonValue) -> list[str]:
    """Tracks beside their cover pictures: where a result has audio URLs by name, those are the outputs."""
    found: list[str] = []
    if isinstance(result, list):
        for item in result:
            found += _audio_urls(item)
    elif isinstance(result, dict):
        own = first_text(*(result.get(name) for name in ("audio_url", "source_audio_url", "download_url")))
        found += [own] if own else []
        for item in result.values():
            found += _audio_urls(item)
    return list(dict.fromkeys(found))
