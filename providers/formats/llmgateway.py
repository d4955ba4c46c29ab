"""LLMGateway: videos as jobs under `/v1/videos`, images and speech in the answer to their POST."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, JsonValue

from ...domain.errors import Charged, FailureReason, RequestRefused
from ...domain.hooks import SECRET_STAND_IN
from ...domain.job import Job, JobState, Observation, Plan, RemoteOutput, Submission, Told
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest
from ..client.reply import Reply
from ..format import Call, Fault, Format, Unintelligible, job_id_of, kinds_given, segment
from ..provider import AccountCheck, ProviderSettings
from .compose import Composer
from .listed_prices import llmgateway_prices
from .live import live_rows
from .observe import observed, state_of
from .openai_media import cost_details, cost_of, image_plan, images_submission, speech_plan, speech_submission
from .readings import (
    Moment,
    Object,
    Progress,
    Text,
    WireModel,
    parse_balance,
    parse_object,
    read,
    remote_outputs,
    urls_in,
)
from .reasons import first_text, has_error_object, of_submission, reason_in, reason_of_refusal
from .sizes import send_size

STATES: Mapping[str, JobState] = {
    "queued": "queued",
    "in_progress": "running",
    "completed": "succeeded",
    "failed": "failed",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "expired": "failed",
    # The first word of some servers with the same format.
    "processing": "running",
}

_ACCOUNT = re.compile(r"project|organi[sz]ation|blocked|archived|account", re.IGNORECASE)
_UNSUPPORTED = re.compile(r"not supported|unsupported|model_not_found|unknown model|does not exist", re.IGNORECASE)
_SPENDING_CAP = re.compile(
    r"spend|daily|monthly|budget|insufficient_quota|current quota|billing|insufficient (credit|balance|fund)",
    re.IGNORECASE,
)


class VideoError(WireModel):
    code: Text = None
    message: Text = None


class Video(WireModel):
    id: Text = None
    status: Text = None
    progress: Progress = None
    created_at: Moment = None
    completed_at: Moment = None
    error: Annotated[VideoError | None, BeforeValidator(parse_object)] = None
    content: JsonValue = None
    url: JsonValue = None
    metadata: Object = None
    usage: Object = None
    expires_at: Moment = None


class LLMGateway(Format):
    states = STATES
    hook_fields: tuple[str, ...] = ("callback_url", "callback_secret")
    url_lifetime: ClassVar[timedelta | None] = timedelta(days=7)
    """Of the token in `content[].url`, counted from the answer that holds it; each answer has a new one."""

    def __init__(self, settings: ProviderSettings) -> None:
        super().__init__(settings)
        self._own_secret = settings.webhook_secret
        self._secret_variable = f"{settings.name.upper().replace('-', '_')}_WEBHOOK_SECRET"

    def callback(self, plan: Plan, address: str) -> dict[str, JsonValue]:
        if plan.path != "/v1/videos":
            return {}
        return {"callback_url": address, "callback_secret": SECRET_STAND_IN}

    def hook_key(self, secret: str, shared: str | None) -> bytes | None:
        """The secret's own characters, where relatives decode what follows `whsec_`."""
        return secret.encode()

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        if request.kind == "image":
            return image_plan(request, facts, self.name)
        if request.kind == "audio":
            return speech_plan(request, facts, self.name)
        compose = self.compose_video(request, facts)
        body, warnings = compose.finish()
        if self.hook_fields and "callback_url" in body and self._own_secret is not None:
            # Not in the request, so it is at hand whenever a request that has waited is planned again.
            body.setdefault("callback_secret", self._own_secret.get_secret_value())
        if ("callback_url" in body) != ("callback_secret" in body):
            message = "callback_url and callback_secret go together: give both or neither"
            raise RequestRefused("invalid_input", message, hint=self._secret_hint)
        _check_secret(body, self._secret_hint)
        return Plan(
            provider=self.name,
            model=facts.id,
            path="/v1/videos",
            body=body,
            warnings=tuple(warnings),
            instead=compose.instead,
        )

    @property
    def _secret_hint(self) -> str:
        return f"Give callback_secret again, or have the user set {self._secret_variable} and leave it out."

    def compose_video(self, request: GenerationRequest, facts: ModelFacts) -> Composer:
        """The body of `POST /v1/videos`, as the vendor's reference has it."""
        if request.operation == "frames_and_references":
            message = f"frames (image, last_frame) and references exclude each other on {self.name}"
            raise RequestRefused("unsupported", message)
        compose = Composer(request, facts, self.name)
        compose.put("model", facts.id, "model")
        compose.put("prompt", request.prompt, "prompt")
        self.send_seconds(compose)
        send_size(compose)
        compose.send("audio", "audio")
        compose.send_medium("image", "image")
        compose.send_medium("last_frame", "last_frame")
        compose.send_media("reference_images", "reference_image")
        compose.send_media("reference_videos", "reference_video")
        compose.send_media("reference_audios", "reference_audio")
        return compose

    def send_seconds(self, compose: Composer) -> None:
        """`seconds`, which is required, and an integer."""
        if compose.value("duration_seconds") is None:
            message = f"duration_seconds is needed, as this gateway has no default on {self.name}"
            raise RequestRefused("invalid_input", message)
        compose.send_seconds("seconds")

    def fault(self, reply: Reply, *, submitting: bool, given: frozenset[str] | None = None) -> Fault | None:
        body: dict[str, JsonValue] = reply.body if isinstance(reply.body, dict) else {}
        error = body.get("error")
        if reply.ok and (not error or "id" in body or "data" in body):
            return None
        details = error if isinstance(error, dict) else body
        message = first_text(details.get("message"), error, body.get("message"), body.get("detail")) or reply.text
        code = first_text(details.get("code"), details.get("type"), body.get("code"))
        text = f"{code or ''}. {message}"
        reason = (reason_in(text, given=given) or "provider_error") if reply.ok else _reason(reply.status, text, given)
        hint = None
        if reason == "insufficient_credits" and reply.status == 429:
            hint = "A spending cap of this gateway is reached: raise it there, or name another provider."
        fault = Fault(reason, message or f"HTTP {reply.status}", code or str(reply.status), hint)
        return of_submission(fault) if submitting else fault

    def is_own_error(self, reply: Reply) -> bool:
        return has_error_object(reply.body if isinstance(reply.body, dict) else {})

    def submission(self, plan: Plan, reply: Reply) -> Submission:
        if plan.path.startswith("/v1/images/"):
            return images_submission(plan, reply, self.name)
        if plan.path == "/v1/audio/speech":
            return speech_submission(plan, reply, self.name)
        video = read(Video, reply.body)
        job = Job(job_id=job_id_of(video.id), model=plan.model, details=plan.details)
        return Submission(job=job, observation=self._observation(job, video, reply))

    def poll_call(self, job: Job) -> Call:
        return Call(f"/v1/videos/{segment(job.job_id)}")

    def observation(self, job: Job, reply: Reply) -> Observation:
        video = read(Video, reply.body)
        if video.status is None:
            raise Unintelligible("the answer is not a video")
        return self._observation(job, video, reply)

    def _observation(self, job: Job, video: Video, reply: Reply) -> Observation:
        state, notes = state_of(video.status, STATES)
        fault = _job_fault(video, kinds_given(job.details))
        return observed(
            state,
            gateway=self.name,
            outputs=self.outputs(job, video, reply) if state == "succeeded" else (),
            fault=fault,
            charged=self.charged_for_failure(video),
            progress=video.progress if state in {"queued", "running"} else None,
            cost=cost_of(video.usage),
            notes=notes,
            told=Told(submitted_at=video.created_at, finished_at=video.completed_at, metrics=cost_details(video.usage)),
        )

    def charged_for_failure(self, video: Video) -> Charged:
        """`usage` is there only once a job was billed; failed, cancelled and expired jobs cost 0."""
        cost = cost_of(video.usage)
        return "yes" if cost is not None and cost.amount > 0 else "no"

    def outputs(self, job: Job, video: Video, reply: Reply) -> Sequence[RemoteOutput]:
        """The signed URLs, for which no key is needed, with the content endpoint behind them, which wants the key."""
        content = f"/v1/videos/{segment(job.job_id)}/content"
        signed = list(remote_outputs(_urls(video), reply.received_at, lifetime=self.url_lifetime))
        if not signed:
            return [RemoteOutput(url=content, authenticated=True, expires_at=video.expires_at)]
        if len(signed) > 1 or signed[0].url is None:
            return signed
        return [signed[0].model_copy(update={"fallback_url": content})]

    def account_call(self) -> Call | None:
        return Call("/v1/credits")

    def account(self, reply: Reply) -> AccountCheck:
        """`balance`, in US dollars and as a text (source of LLMGateway: `aisdk/credits.ts`)."""
        body = parse_object(reply.body) or {}
        balance = parse_balance(body.get("balance"))
        if balance is None:
            return AccountCheck(ok=True, message="the key works; the balance could not be read")
        return AccountCheck(
            ok=True, message=f"the key works; balance {balance:.2f} USD", balance=balance, currency="USD"
        )

    def models_call(self) -> Call | None:
        return Call("/v1/models", {"exclude_deprecated": "true"})

    def live_models(self, reply: Reply) -> Sequence[ModelFacts]:
        return live_rows(reply, "LLMGateway GET /v1/models", llmgateway_prices)


def _urls(video: Video) -> list[str]:
    """`content[].url` first, then what relatives of the format have instead: `metadata.url` and `url`."""
    metadata = video.metadata.get("url") if video.metadata else None
    rows = video.content if isinstance(video.content, list) else []
    listed = [row.get("url") for row in rows if isinstance(row, dict)]
    return urls_in([*listed]) or urls_in(metadata) or urls_in(video.url)


def _job_fault(video: Video, given: frozenset[str] | None) -> Fault | None:
    if video.status == "expired":
        return Fault("timeout", "The job expired before it was done.", "expired", ours=True)
    error = video.error
    if error is None:
        return None
    message = error.message or error.code or "the generation failed"
    by_code: Mapping[str | None, FailureReason] = {"timeout": "timeout", "poll_error": "provider_error"}
    reason = by_code.get(error.code) or reason_in(f"{error.code or ''}. {message}", given=given) or "provider_error"
    return Fault(reason, message, error.code)


def _reason(status: int, text: str, given: frozenset[str] | None) -> FailureReason:
    if status == 400:
        return _reason_of_400(text, given)
    if status == 410:
        return "unauthorized" if _ACCOUNT.search(text) else "unsupported"
    if status in {413, 415}:
        return "invalid_media"
    if status == 429:
        return "insufficient_credits" if _SPENDING_CAP.search(text) else "rate_limited"
    return reason_of_refusal(status, text, given)


def _reason_of_400(text: str, given: frozenset[str] | None) -> FailureReason:
    if re.search(r"task_not_exist|not_found_error", text):
        return "not_found"
    reason = reason_of_refusal(400, text, given)
    return "unsupported" if reason == "invalid_input" and _UNSUPPORTED.search(text) else reason


def _check_secret(body: Mapping[str, JsonValue], hint: str) -> None:
    secret = body.get("callback_secret", "given")
    if not isinstance(secret, str) or not secret:
        raise RequestRefused("invalid_input", "callback_secret must be a text that is not empty")
    if secret == SECRET_STAND_IN:
        message = "callback_secret is a stand-in here, as rushes writes no secret down"
        raise RequestRefused("invalid_input", message, hint=hint)
