"""RouteAny's predictions, and services with the same format, such as Replicate (another base URL and key).

Options of a provider with this format:

    input_names     our input → the gateway's name, for inputs whose names no page tells; they then pass the checks:
                    `{ negative_prompt = "negative_prompt", resolution = "resolution" }`. Assumed without it: `image`,
                    `last_frame`, `reference_images`, and `images` as `image_input`.
    webhook_events  the events of which a webhook is to tell, such as `["completed"]`, for a gateway whose page names
                    them. Assumed for Replicate; elsewhere all are told of, as without a filter.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, JsonValue

from ...domain.errors import ConfigurationError, FailureReason, RequestRefused
from ...domain.job import Job, JobState, Observation, Plan, PossibleJob, Submission, Told
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest, MediaRole
from ...domain.secret_options import masked
from ..checks import INPUT_OF_ROLE
from ..client.reply import Reply, http_date
from ..format import Call, Fault, Format, Unintelligible, job_id_of, kinds_given, segment
from ..provider import AccountCheck, ProviderSettings, Traits
from ..signatures import key_of
from .comparing import contradicts, shows
from .compose import Composer, object_option, whole
from .observe import observed, state_of
from .readings import (
    Logs,
    Metrics,
    Moment,
    Object,
    Text,
    WireModel,
    parse_number,
    parse_object,
    parse_page,
    read,
    remote_outputs,
    urls_in,
)
from .reasons import TEXT_READ, first_text, of_submission, reason_in, reason_of_refusal, words_of

STATES: Mapping[str, JobState] = {
    "starting": "queued",
    "processing": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "aborted": "cancelled",
}

REASONS: Mapping[str, FailureReason] = {
    "VALIDATION_INVALID_ARGUMENT": "invalid_input",
    "AUTH_INVALID_TOKEN": "unauthorized",
    "RESOURCE_NOT_FOUND": "not_found",
    "RATE_LIMIT_EXCEEDED": "rate_limited",
    "INTERNAL": "provider_error",
}

_TASK_REASONS: Sequence[tuple[FailureReason, str]] = (
    ("content_violation", r"CONTENT|SAFETY|MODERATION|NSFW|POLICY"),
    ("timeout", r"TIME.?OUT"),
    ("invalid_input", r"VALIDATION|INVALID"),
    ("insufficient_credits", r"CREDIT|BALANCE|QUOTA"),
)
"""No list of a failed prediction's codes is published; this goes by what such codes would hold."""

_ASSUMED_NAMES: Mapping[MediaRole, str] = {
    "image": "image",
    "last_frame": "last_frame",
    "reference_image": "reference_images",
    "input_image": "image_input",
}
"""Names of media inputs that no page tells."""

_CLOCK_SKEW = timedelta(seconds=5)
_CLOCK_SKEW_UNKNOWN = timedelta(seconds=60)
_LISTED_WITHIN = timedelta(minutes=10)
"""A job that was created later than this after the submission is not taken for it on the word of its model alone."""

_PAGE = 100


def _error(value: object) -> object:
    return {"message": value} if isinstance(value, str) else parse_object(value)


class TaskError(WireModel):
    code: Text = None
    message: Text = None


class Prediction(WireModel):
    id: Text = None
    model: Text = None
    input: Object = None
    output: JsonValue = None
    data_removed: JsonValue = None
    error: Annotated[TaskError | None, BeforeValidator(_error)] = None
    status: Text = None
    created_at: Moment = None
    started_at: Moment = None
    completed_at: Moment = None
    logs: Logs = None
    metrics: Metrics = Field(default_factory=dict)
    urls: Object = None


class Problem(WireModel):
    """RFC 7807, and Replicate's shorter form."""

    title: JsonValue = None
    detail: JsonValue = None
    code: Text = None
    message: JsonValue = None
    errors: JsonValue = None


class RouteAny(Format):
    traits = Traits(cancels=True, finds_jobs=True)
    states = STATES
    hook_fields = ("webhook", "webhook_events_filter")

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings)
        self._configured_names = object_option(settings.options, "input_names")
        self._webhook_events = _webhook_events(settings)

    def callback(self, plan: Plan, address: str) -> dict[str, JsonValue]:
        events: list[JsonValue] = [*self._webhook_events]
        return {"webhook": address, **({"webhook_events_filter": events} if events else {})}

    def hook_key(self, secret: str, shared: str | None) -> bytes | None:
        """Replicate's: one for all hooks of an account. RouteAny documents no signature."""
        return None if shared is None else key_of(shared)

    def adapt_facts(self, facts: ModelFacts) -> ModelFacts:
        if facts.inputs is None or not self._configured_names:
            return facts
        assumed = tuple(name for name in facts.assumed_inputs if name not in self._configured_names)
        inputs = tuple(dict.fromkeys([*facts.inputs, *self._configured_names]))
        return facts.model_copy(update={"inputs": inputs, "assumed_inputs": assumed})

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        owner, slash, model = facts.id.partition("/")
        if not slash or "/" in model:
            message = f"{facts.id!r} is not a model of {self.name}: its models are called owner/model"
            raise RequestRefused("unsupported", message)
        compose = Composer(request, facts, self.name)
        compose.put("prompt", request.prompt, "prompt")
        named = {"aspect_ratio": "aspect_ratio", "duration_seconds": "duration", **self._named_inputs()}
        for name, field in named.items():
            if name == "duration_seconds":
                compose.send_seconds(field)
            else:
                compose.send(name, field, whole)
        self._put_media(compose)
        body, warnings = compose.finish(outside=("webhook", "webhook_events_filter"), inner="input")
        return Plan(
            provider=self.name,
            model=facts.id,
            path=f"/v1/models/{segment(owner)}/{segment(model)}/predictions",
            body=body,
            details={"input": _short(body["input"])},
            warnings=tuple(warnings),
            instead=compose.instead,
        )

    def _named_inputs(self) -> dict[str, str]:
        media = set(INPUT_OF_ROLE.values())
        return {name: field for name, field in self._configured_names.items() if name not in media}

    def _put_media(self, compose: Composer) -> None:
        for role, name in INPUT_OF_ROLE.items():
            field = self._configured_names.get(name, _ASSUMED_NAMES.get(role))
            if field is None or not compose.request.media_of(role):
                continue
            if name not in self._configured_names:
                message = f"{self.name} documents no name for {name} and ignores names that it does not know"
                compose.warnings.append(f"{message}: {field!r} is assumed")
            if role in {"image", "last_frame", "mask"}:
                compose.send_medium(field, role)
            else:
                compose.send_media(field, role)

    def fault(self, reply: Reply, *, submitting: bool, given: frozenset[str] | None = None) -> Fault | None:
        if reply.ok:
            return None
        problem = read(Problem, reply.body) if isinstance(reply.body, dict) else Problem()
        message = _problem_text(problem) or reply.text
        reason = REASONS.get(problem.code or "", "invalid_input")
        if reason == "invalid_input":
            # Its codes know no lack of credits and no forbidden content.
            reason = reason_of_refusal(reply.status, f"{problem.code or ''}. {message}", given)
        fault = Fault(reason, message or f"HTTP {reply.status}", problem.code or str(reply.status))
        return of_submission(fault) if submitting else fault

    def is_own_error(self, reply: Reply) -> bool:
        """RFC 7807 with a `code`; or Replicate's `detail` without what others who use RFC 7807 put beside it."""
        body: dict[str, JsonValue] = reply.body if isinstance(reply.body, dict) else {}
        if "cloudflare_error" in body or first_text(body.get("detail"), body.get("title")) is None:
            return False
        return first_text(body.get("code")) is not None or not {"type", "instance", "path"} & body.keys()

    def submission(self, plan: Plan, reply: Reply) -> Submission:
        prediction = read(Prediction, reply.body)
        job = Job(job_id=job_id_of(prediction.id), model=plan.model, details=plan.details)
        return Submission(job=job, observation=self._observation(job, prediction, reply))

    def poll_call(self, job: Job) -> Call:
        return Call(f"/v1/predictions/{segment(job.job_id)}")

    def cancel_call(self, job: Job) -> Call:
        return Call(f"/v1/predictions/{segment(job.job_id)}/cancel", method="POST")

    def observation(self, job: Job, reply: Reply) -> Observation:
        prediction = read(Prediction, reply.body)
        if prediction.status is None:
            raise Unintelligible("the answer is not a prediction")
        return self._observation(job, prediction, reply)

    def _observation(self, job: Job, prediction: Prediction, reply: Reply) -> Observation:
        state, notes = state_of(prediction.status, STATES)
        outputs = remote_outputs(urls_in(prediction.output), reply.received_at)
        fault = _task_fault(prediction.error, kinds_given(job.details))
        if state == "succeeded" and not outputs and prediction.data_removed is True:
            state = "failed"
            removed = "The prediction succeeded, but the gateway has removed its output."
            fault = Fault("result_expired", removed, ours=True)
        return observed(
            state,
            gateway=self.name,
            outputs=outputs,
            fault=fault,
            started_at=prediction.started_at,
            notes=(*notes, *_ignored_inputs(job, prediction)),
            charged="yes" if fault is not None and fault.reason == "result_expired" else "unknown",
            told=_told(prediction),
        )

    def jobs_call(self, offset: int) -> Call:
        return Call("/v1/predictions", {"limit": str(_PAGE), "offset": str(offset)})

    def found_jobs(self, plan: Plan, reply: Reply, since: datetime, known: Collection[str]) -> Sequence[Job] | None:
        earliest = _on_the_gateways_clock(since, reply)
        rows = _results(reply)
        predictions = [read(Prediction, row) for row in rows if isinstance(row, dict)]
        sent = plan.body.get("input")
        fitting = [
            prediction
            for prediction in predictions
            if prediction.id is not None
            and prediction.id not in known
            and prediction.created_at is not None
            and prediction.created_at >= earliest
            and (prediction.model or "").partition(":")[0].casefold() == plan.model.casefold()
            and not contradicts(sent, prediction.input)
        ]
        fitting.sort(key=lambda prediction: prediction.created_at or since, reverse=True)
        sure = [prediction for prediction in fitting if shows(sent, prediction.input)]
        if sure:
            return [Job(job_id=job_id_of(one.id), model=plan.model, details=plan.details) for one in sure]
        latest = earliest + _LISTED_WITHIN
        possible = [one for one in fitting if one.created_at is not None and one.created_at <= latest]
        if len(possible) == 1:
            return [PossibleJob(job_id=job_id_of(possible[0].id), model=plan.model, details=plan.details)]
        return [] if len(rows) >= _PAGE else None

    def account_call(self) -> Call:
        return Call("/v1/predictions", {"limit": "1"})

    def account(self, reply: Reply) -> AccountCheck:
        total = parse_number(reply.body.get("total_count")) if isinstance(reply.body, dict) else None
        made = "" if total is None else f", {total:.0f} so far"
        return AccountCheck(ok=True, message=f"the key works (it lists predictions{made}); no balance can be read")


def _told(prediction: Prediction) -> Told:
    return Told(
        page=parse_page((prediction.urls or {}).get("web")),
        submitted_at=prediction.created_at,
        finished_at=prediction.completed_at,
        logs=prediction.logs,
        metrics=prediction.metrics,
    )


_FIELD_ERRORS_READ = 20
"""Of the errors of single fields, of which a few are told."""


def _problem_text(problem: Problem) -> str | None:
    text = first_text(problem.detail, problem.message, problem.title)
    details = [
        f"{field}: {message}" if field else message
        for field, message in _field_errors(problem.errors)
        if message not in (text or "")[:TEXT_READ]
    ]
    return "; ".join([*([text] if text else []), *details[:3]]) or None


def _field_errors(errors: JsonValue) -> list[tuple[str, str]]:
    rows = [row for row in errors[:_FIELD_ERRORS_READ] if isinstance(row, dict)] if isinstance(errors, list) else []
    pairs = [(row.get("field"), row.get("message")) for row in rows]
    return [(field if isinstance(field, str) else "", message) for field, message in pairs if isinstance(message, str)]


def _task_fault(error: TaskError | None, given: frozenset[str] | None) -> Fault | None:
    if error is None:
        return None
    message, code = error.message or error.code or "the generation failed", error.code or ""
    by_code: FailureReason | None = next(
        (reason for reason, pattern in _TASK_REASONS if re.search(pattern, code, re.IGNORECASE)), None
    )
    # `INVALID_IMAGE` and `IMAGE_DOWNLOAD_FAILED` speak of a medium that went in, `IMAGE_GENERATION_FAILED` of none.
    of_media = reason_in(words_of(code), ("invalid_media",), given) if by_code in {None, "invalid_input"} else None
    return Fault(of_media or by_code or reason_in(message, given=given) or "provider_error", message, error.code)


def _short(sent: JsonValue) -> JsonValue:
    """The inputs that were sent, to compare with what the gateway shows; long ones and secrets by name only."""
    if not isinstance(sent, dict):
        return {}
    shown = masked(sent)
    return {name: value if _is_short(value) and shown[name] == value else None for name, value in sent.items()}


def _is_short(value: JsonValue) -> bool:
    return isinstance(value, (bool, int, float)) or len(str(value)) < 40


def _ignored_inputs(job: Job, prediction: Prediction) -> tuple[str, ...]:
    """The gateway ignores what it does not know; what it took stands in the prediction's `input`."""
    sent, taken = job.details.get("input"), prediction.input
    if not taken or not isinstance(sent, dict):
        return ()
    odd = [name for name, value in sent.items() if name not in taken or (value is not None and taken[name] != value)]
    return (f"the gateway does not show these inputs as it got them: {', '.join(odd)}",) if odd else ()


def _results(reply: Reply) -> list[JsonValue]:
    rows = reply.body.get("results") if isinstance(reply.body, dict) else None
    if not isinstance(rows, list):
        raise Unintelligible("the answer is not a list of predictions")
    return rows


def _on_the_gateways_clock(since: datetime, reply: Reply) -> datetime:
    """The earliest creation time that fits, by the clock that the reply's Date header shows."""
    shown = http_date(reply.headers.get("date", ""))
    if shown is None:
        return since - _CLOCK_SKEW_UNKNOWN
    return since + (shown - reply.received_at) - _CLOCK_SKEW


def _webhook_events(settings: ProviderSettings) -> tuple[str, ...]:
    """Replicate documents `start`, `output`, `logs` and `completed`; what RouteAny calls them, no page says."""
    replicate = urlsplit(settings.base_url or "").hostname == "api.replicate.com"
    events = settings.options.get("webhook_events", ["completed"] if replicate else [])
    if not isinstance(events, list) or not all(isinstance(each, str) and each for each in events):
        message = f'providers.{settings.name}.options.webhook_events must be a list of texts, such as ["completed"]'
        raise ConfigurationError(message)
    return tuple(str(each) for each in events)
