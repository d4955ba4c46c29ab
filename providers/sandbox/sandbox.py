"""The sandbox as a provider: plan, submit, poll and cancel, like any gateway, with the rendering done here."""

import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio.to_thread
from pydantic import JsonValue, ValidationError

from ...domain.errors import OutputExpired, SubmissionLost, SubmissionRefused
from ...domain.failure import failure
from ...domain.job import Job, Observation, Plan, RemoteOutput, Submission
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest, Kind, MediaInput
from ..checks import check_request
from ..fact_files import load_facts
from ..own_work import OwnWork
from ..provider import AnswerSink, OutputStream, ProviderSettings, Traits
from ..shapes import shape_warnings
from .jobs import Clock, InputFolder, RunningJob
from .spec import InputMedium, RenderSpec, spec_of

_UNKNOWN = failure("not_found", "The sandbox does not know this job.", charged="no")
ENDED_KEPT = 4
"""So many jobs are kept for another look after one has told their end; an older one would simply be drawn again."""


class SandboxProvider(OwnWork):
    """Renders real media; `work_folder` keeps the inputs of unfinished jobs, `clock` gives monotonic seconds."""

    traits = Traits(cancels=True, finds_jobs=False, repeatable=True, free=True)

    def __init__(self, work_folder: Path | None = None, clock: Clock = time.monotonic, name: str = "sandbox") -> None:
        self.name = name
        self._media = InputFolder(work_folder)
        self._clock = clock
        self._jobs: dict[str, RunningJob] = {}

    def models(self) -> Sequence[ModelFacts]:
        """The three models; they never change."""
        return load_facts("sandbox").models

    def default_model(self, kind: Kind) -> str | None:
        """`sandbox-video`, `sandbox-image` or `sandbox-audio`."""
        return f"sandbox-{kind}"

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        """The whole render as data; `details` is the same without the bytes of input media.

        Raises:
            RequestRefused: the sandbox cannot do what is asked, or a steering word is wrong.
        """
        check_request(request, facts, self.name)
        spec = spec_of(request)
        dumped: dict[str, JsonValue] = spec.model_dump(mode="json", exclude_defaults=True)
        media: list[JsonValue] = [_medium(*pair) for pair in zip(spec.media, request.media, strict=True)]
        return Plan(
            provider=self.name,
            model=facts.id,
            path="",
            body={"model": facts.id, **dumped, **({"media": media} if media else {})},
            details={"spec": dumped, "seed": spec.seed},
            warnings=(*shape_warnings(request, facts, self.name), *_warnings(request, spec)),
        )

    async def submit(self, plan: Plan, *, sink: AnswerSink | None = None) -> Submission:  # noqa: ARG002 - it delivers nothing
        """Accept the plan as a queued job; drawing starts with the first poll.

        Raises:
            SubmissionRefused: the prompt says `[refuse:REASON]`.
            SubmissionLost: the prompt says `[lost]`.
        """
        spec = RenderSpec.model_validate(plan.details["spec"])
        if (reason := spec.steering.refuse) is not None:
            message = f"The sandbox refused this because the prompt says [refuse:{reason}]."
            raise SubmissionRefused(reason, message, provider_code="steered")
        if spec.steering.lost:
            raise SubmissionLost("The sandbox lost its answer because the prompt says [lost]. Nothing is charged.")
        await anyio.to_thread.run_sync(self._keep_media, plan)
        job = Job(job_id=f"sbx_{secrets.token_hex(8)}", model=plan.model, details=plan.details, title=spec.title)
        return Submission(job=job, observation=Observation(state="queued", progress=0.0, poll_after_seconds=0.1))

    async def poll(self, job: Job, *, sink: AnswerSink | None = None) -> Observation:  # noqa: ARG002
        """One look; the first one in a process, also after a restart, starts the drawing from the job's details."""
        running = self._running(job)
        if running is None:
            return Observation(state="failed", failure=_UNKNOWN)
        running.start()
        observation = running.look()
        ended = [job_id for job_id, running in self._jobs.items() if running.told]
        for job_id in ended[:-ENDED_KEPT]:
            del self._jobs[job_id]
        return observation

    async def cancel(self, job: Job) -> Observation:
        """Stop the drawing between two frames; a job that already ended stays as it ended."""
        running = self._running(job)
        if running is None:
            return Observation(state="failed", failure=_UNKNOWN)
        running.cancel()
        return running.look()

    def open_output(self, output: RemoteOutput) -> AbstractAsyncContextManager[OutputStream]:  # noqa: ARG002
        """Raises `OutputExpired`: outputs come as content, and only those of `[expire]` have an address."""
        raise OutputExpired("The output's address no longer works because the prompt says [expire].")

    async def aclose(self) -> None:
        """Stop every drawing and forget all content."""
        for running in self._jobs.values():
            running.cancel()
        self._jobs.clear()

    def _running(self, job: Job) -> RunningJob | None:
        running = self._jobs.get(job.job_id)
        if running is None:
            try:
                spec = RenderSpec.model_validate(job.details.get("spec"))
            except ValidationError:
                return None
            running = self._jobs[job.job_id] = RunningJob(spec, self._media, self._clock)
        return running

    def _keep_media(self, plan: Plan) -> None:
        media = plan.body.get("media")
        for medium in media if isinstance(media, list) else ():
            if isinstance(medium, dict) and isinstance(url := medium.get("data"), str):
                self._media.write(str(medium["sha256"]), b64decode(url.partition(",")[2]))


def _medium(medium: InputMedium, given: MediaInput) -> JsonValue:
    dumped: dict[str, JsonValue] = medium.model_dump(mode="json", exclude_none=True)
    if given.data is not None:
        mime_type = given.mime_type or "application/octet-stream"
        dumped["data"] = f"data:{mime_type};base64,{b64encode(given.data).decode('ascii')}"
    return dumped


def _warnings(request: GenerationRequest, spec: RenderSpec) -> tuple[str, ...]:
    warnings = [
        f"The sandbox fetches no address, and shows no sound and no video: {medium.source} is only named."
        for medium in spec.media
        if not medium.is_seen
    ]
    if request.provider_options:
        warnings.append(f"provider_options change nothing in the sandbox: {', '.join(request.provider_options)}.")
    if request.kind == "audio":
        unheard = " and ".join(name for name in ("voice", "language", "instructions") if getattr(request, name))
        but = f"; {unheard} change nothing in it" if unheard else ""
        warnings.append(f"The sandbox cannot speak: this is a melody in the rhythm of the words{but}.")
    return tuple(warnings)


def make_provider(settings: ProviderSettings) -> SandboxProvider:
    """As a package with an entry point in the group `rushes.providers` makes its own."""
    return SandboxProvider(settings.work_folder, name=settings.name)
