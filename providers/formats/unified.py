"""The unified format of Yuto AI and its relatives: `/v2/{scope}/generations`, scope videos, images or audio.

The key is only good with a base URL, for which there is no default. All names in `provider_options` go into the body.

Options of a provider with this format:

    callback    `none` (default) or `notify_hook`: the field by which clients of the family name a webhook. The vendor's
                own page has none.
    images      `unified` (default), or `async`: images by `/v1/images/generations?async=true`, or `/v1/images/edits`
                with images as the parts of a form, and looks at `/v1/images/tasks/{task_id}`, as clients of the family
                do. `webhook` is a field of that query.
"""

import re
from collections.abc import Mapping

from pydantic import JsonValue

from ...domain.errors import FailureReason, RequestRefused
from ...domain.job import Job, JobState, Observation, Plan, Submission, Told
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest, Kind
from ..client.reply import Reply
from ..format import Call, Fault, Format, Unintelligible, job_id_of, kinds_given, segment
from ..provider import ProviderSettings
from . import unified_images as images
from .compose import Composer, upper, whole
from .observe import observed, state_of
from .readings import Moment, Progress, Text, WireModel, parse_object, read, remote_outputs, urls_in
from .reasons import first_text, has_error_object, of_submission, reason_in, reason_of_refusal, reason_of_status

SCOPES: Mapping[Kind, str] = {"video": "videos", "image": "images", "audio": "audio"}

STATES: Mapping[str, JobState] = {
    "NOT_START": "queued",
    "SUBMITTED": "queued",
    "QUEUED": "queued",
    "IN_PROGRESS": "running",
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
}

_NO_CHANNEL = re.compile(r"no available channel|model_not_found|无可用渠道", re.IGNORECASE)


class Task(WireModel):
    task_id: JsonValue = None
    status: Text = None
    fail_reason: Text = None
    progress: Progress = None
    submit_time: Moment = None
    start_time: Moment = None
    finish_time: Moment = None
    data: JsonValue = None


class Unified(Format):
    states = STATES

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings)
        self._notifies = self.option("callback", "none", ("none", "notify_hook")) == "notify_hook"
        self._images_apart = self.option("images", "unified", ("unified", "async")) == "async"
        own = ("notify_hook",) if self._notifies else ()
        self.hook_fields = (*own, "webhook") if self._images_apart else own

    def adapt_facts(self, facts: ModelFacts) -> ModelFacts:
        return images.adapted(facts) if self._images_apart else facts

    def callback(self, plan: Plan, address: str) -> dict[str, JsonValue]:
        if images.is_apart(plan.details):
            return {"webhook": address}
        return {"notify_hook": address} if self._notifies else {}

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        if self._images_apart and request.kind == "image":
            return images.plan(request, facts, self.name)
        scope = SCOPES[request.kind]
        if request.operation == "frames_and_references":
            message = f"{self.name} has one list for all images, so frames and references cannot be told apart there"
            raise RequestRefused("unsupported", message)
        compose = Composer(request, facts, self.name)
        compose.put("prompt", request.prompt, "prompt")
        compose.put("model", facts.id, "model")
        compose.send("duration_seconds", "duration", _text if facts.wire.get("duration") == "string" else whole)
        compose.send("aspect_ratio", "aspect_ratio")
        compose.send("size", "size")
        compose.send("resolution", "resolution", upper)
        compose.send_media("images", "image", "last_frame", "reference_image", "input_image")
        compose.send_media("videos", "reference_video")
        compose.send("watermark", "watermark")
        if "seed" in (facts.inputs or ()):
            compose.send("seed", "seed")
        body, warnings = compose.finish()
        return Plan(
            provider=self.name,
            model=facts.id,
            path=f"/v2/{scope}/generations",
            body=body,
            details={"scope": scope},
            warnings=tuple(warnings),
            instead=compose.instead,
        )

    def fault(self, reply: Reply, *, submitting: bool, given: frozenset[str] | None = None) -> Fault | None:
        body: dict[str, JsonValue] = reply.body if isinstance(reply.body, dict) else {}
        if reply.ok and (_unwrapped(body).get("task_id") or not _tells_of_an_error(body)):
            return None
        error = parse_object(body.get("error")) or {}
        message = first_text(
            error.get("message"), body.get("error"), body.get("message"), body.get("fail_reason"), body.get("detail")
        )
        code = first_text(error.get("code"), body.get("code"), error.get("type"))
        text = f"{code or ''}. {message or reply.text}"
        reason = (reason_in(text, given=given) or "provider_error") if reply.ok else _reason(reply.status, text, given)
        fault = Fault(reason, message or reply.text or f"HTTP {reply.status}", code or str(reply.status))
        return of_submission(fault) if submitting else fault

    def is_own_error(self, reply: Reply) -> bool:
        """new-api's two forms, on which this family is built: `{error: {message, type, code}}`, and `{code, message}`
        with a word for a code."""
        body: dict[str, JsonValue] = reply.body if isinstance(reply.body, dict) else {}
        code = first_text(body.get("code"))
        worded = code is not None and not code.isdecimal() and first_text(body.get("message")) is not None
        return worded or has_error_object(body)

    def job_id_in(self, reply: Reply) -> str | None:
        """One relative of the format gives the id as `data` itself."""
        data = reply.body.get("data") if isinstance(reply.body, dict) else None
        bare = data if isinstance(data, str) and re.fullmatch(r"[\w:.-]{8,200}", data) else None
        return bare or super().job_id_in(reply)

    def submission(self, plan: Plan, reply: Reply) -> Submission:
        body: dict[str, JsonValue] = reply.body if isinstance(reply.body, dict) else {}
        task = _unwrapped(body)
        # One relative of the format gives the id as `data` itself.
        given = task.get("task_id") or (body.get("data") if isinstance(body.get("data"), str) else None)
        job = Job(job_id=job_id_of(given), model=plan.model, details=plan.details)
        return Submission(job=job, observation=Observation(state="queued"))

    def poll_call(self, job: Job) -> Call:
        if images.is_apart(job.details):
            return Call(f"/v1/images/tasks/{segment(job.job_id)}")
        scope = job.details.get("scope", "videos")
        return Call(f"/v2/{segment(str(scope))}/generations/{segment(job.job_id)}")

    def observation(self, job: Job, reply: Reply) -> Observation:
        body = _unwrapped(reply.body if isinstance(reply.body, dict) else {})
        task = read(Task, body)
        if task.status is None:
            raise Unintelligible("the answer is not a task")
        state, notes = state_of(task.status, STATES)
        found = images.outputs(task.data, reply) if images.is_apart(job.details) else ()
        return observed(
            state,
            gateway=self.name,
            outputs=(found or remote_outputs(_output_urls(task), reply.received_at)) if state == "succeeded" else (),
            fault=_task_fault(task, kinds_given(job.details)),
            progress=task.progress if state in {"queued", "running"} else None,
            started_at=task.start_time,
            notes=notes,
            told=Told(submitted_at=task.submit_time, finished_at=task.finish_time),
        )


def _text(value: JsonValue) -> JsonValue:
    return str(whole(value))


def _unwrapped(body: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The task itself, which some routes wrap: `{code: "success", message: "", data: {task_id, status, data}}`."""
    inner = parse_object(body.get("data"))
    if inner is not None and "status" not in body and "task_id" not in body and {"status", "task_id"} & inner.keys():
        return inner
    return body


def _tells_of_an_error(body: dict[str, JsonValue]) -> bool:
    """A 2xx without a task that names an error: in `error`, or in a `code` other than success."""
    if "status" in _unwrapped(body):
        return False
    code = body.get("code")
    return bool(body.get("error")) or (code is not None and code not in ("success", "", 0, 200, "0", "200"))


def _output_urls(task: Task) -> list[str]:
    """`data.output` and `data.outputs` merged; some vendors once put the result's URL into `fail_reason`."""
    data = parse_object(task.data) or {}
    named = urls_in([data.get("output"), data.get("outputs")])
    return named or urls_in(task.data) or urls_in(task.fail_reason)


def _task_fault(task: Task, given: frozenset[str] | None) -> Fault | None:
    if task.fail_reason is None:
        return None
    return Fault(reason_in(task.fail_reason, given=given) or "provider_error", task.fail_reason)


def _reason(status: int, text: str, given: frozenset[str] | None) -> FailureReason:
    if "task_not_exist" in text:
        return "not_found"
    if status >= 500:
        if _NO_CHANNEL.search(text):
            return "unsupported"
        return reason_in(text, ("rate_limited",)) or reason_of_status(status)
    return reason_of_refusal(status, text, given)
