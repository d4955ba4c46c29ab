"""The provider of a gateway: a format, its model facts and an HTTP client, put together."""

import logging
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread
from pydantic import JsonValue

from ...domain.errors import GatewayError, GatewayUnavailable, SubmissionLost, SubmissionRefused
from ...domain.failure import standing_hint
from ...domain.hooks import HookReading, HookRequest
from ...domain.job import KEY_STAND_IN, Job, Observation, Plan, RemoteOutput, Submission, Told
from ...domain.model_facts import ModelFacts
from ...domain.request import KIND_OF_ROLE, GenerationRequest, Kind
from ..checks import check_options
from ..fact_files import FactsFile, join_models
from ..format import MEDIA_GIVEN, Call, Fault, Format, Unintelligible, kinds_given
from ..hook_addresses import with_callback
from ..provider import AccountCheck, AnswerSink, OutputStream, ProviderSettings, Traits
from ..signatures import signed_delivery
from ..translating import translated
from .addresses import absolute_url, is_loopback_url
from .answers import kept_answer, support_ids
from .handed_over import without_secrets_of
from .reply import NoReply, Reply, parse_body, retry_after
from .verdict import submission_outcome

if TYPE_CHECKING:
    import httpx

    from .downloads import OutputClient
    from .http import HttpClient, Timeouts

logger = logging.getLogger(__name__)

T = TypeVar("T")

KEY_IN_URL = f"The gateway's API key is part of a result's url and is not shown ({KEY_STAND_IN}): use the kept file."

PAGES_MAX = 5
"""Pages of a gateway's list of jobs that a search for a lost one reads."""

_NO_SUCH_READ = frozenset({404, 405})
"""What a read that a gateway's page does not name may answer; it says nothing about the key."""


class HttpProvider:
    """A gateway. `transport` is for tests; without it the provider opens its own connections at first use."""

    def __init__(
        self,
        settings: ProviderSettings,
        format_: Format,
        facts: FactsFile,
        *,
        transport: "httpx.AsyncBaseTransport | None" = None,
    ) -> None:
        self._settings = settings
        self._format = format_
        self._facts = facts
        rate = settings.requests_per_minute or facts.requests_per_minute
        calls_back = settings.public_url is not None and bool(format_.hook_fields)
        self._traits = format_.traits.model_copy(
            update={"streams": True, "requests_per_minute": rate, "calls_back": calls_back}
        )
        self._documented = tuple(map(self._adapted, facts.models))
        self._models = self._documented
        self._transport = transport
        self._long_replies = anyio.CapacityLimiter(1)
        self._http: HttpClient | None = None
        self._outputs: OutputClient | None = None

    @property
    def name(self) -> str:
        return self._settings.name

    @property
    def traits(self) -> Traits:
        return self._traits

    def models(self) -> Sequence[ModelFacts]:
        return self._models

    def default_model(self, kind: Kind) -> str | None:
        configured = self._settings.options.get(f"default_{kind}_model")
        return configured if isinstance(configured, str) else self._facts.default_models.get(kind)

    def unlisted_model(self, name: str, kind: Kind) -> ModelFacts | None:
        return self._adapted(self._facts.unlisted_model(name, kind))

    async def refresh_models(self) -> Sequence[ModelFacts] | None:
        call = self._format.models_call()
        if call is None:
            return None

        def rows(reply: Reply) -> Sequence[ModelFacts]:
            live = self._format.live_models(reply)
            return [self._adapted(self._facts.with_common_facts(row)) for row in live]

        return await self._read(call, rows)

    def _adapted(self, row: ModelFacts) -> ModelFacts:
        """A row as the provider's options change it; `data_urls = true` is good for every format."""
        facts = self._format.adapt_facts(row)
        if self._settings.options.get("data_urls") is not True or "data" in facts.image_forms:
            return facts
        return facts.model_copy(update={"image_forms": (*facts.image_forms, "data")})

    def add_models(self, live: Sequence[ModelFacts]) -> None:
        self._models = join_models(self._documented, live)

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        request, _ = translated(request, facts)
        plan = self._format.plan(request, facts)
        check_options(
            {**plan.body, **plan.query}, facts, self.name, on_loopback=is_loopback_url(self._settings.base_url or "")
        )
        media: list[JsonValue] = [*sorted({KIND_OF_ROLE[medium.role] for medium in request.media})]
        noted = plan.model_copy(update={"details": {**plan.details, MEDIA_GIVEN: media}})
        return with_callback(noted, request, self._format, self._settings)

    async def submit(self, plan: Plan, *, sink: AnswerSink | None = None) -> Submission:
        try:
            reply = await self._post(plan, sink)
        except NoReply as error:
            if error.outcome == "lost":
                raise self._lost(error.message) from error
            raise SubmissionRefused("provider_error", f"{self.name} got no request: {error.message}") from error
        return await self._made_of(reply, lambda: self._submission_in(plan, reply))

    def _submission_in(self, plan: Plan, reply: Reply) -> Submission:
        reply = without_secrets_of(plan, reply)
        try:
            return self._judged(plan, reply)
        except GatewayError as error:
            error.ids = support_ids(reply)
            raise

    def _judged(self, plan: Plan, reply: Reply) -> Submission:
        verdict = submission_outcome(self._format, reply, kinds_given(plan.details))
        if verdict.outcome == "lost":
            raise self._lost(verdict.why, reply)
        if verdict.outcome == "refused":
            raise self._refused(reply, verdict.fault)
        try:
            submission = self._format.submission(plan, reply)
        except Unintelligible as error:
            raise self._lost(str(error)) from error
        job = submission.job.model_copy(update={"details": {**plan.details, **submission.job.details}})
        return Submission(job=job, observation=self._completed(submission.observation, reply))

    async def poll(self, job: Job, *, sink: AnswerSink | None = None) -> Observation:
        return await self._observe(self._format.poll_call(job), job, sink)

    async def cancel(self, job: Job) -> Observation:
        return await self._observe(self._format.cancel_call(job), job)

    async def find_job(self, plan: Plan, age: timedelta, *, known: Collection[str] = ()) -> Job | None:
        offset, since = 0, datetime.now(UTC) - age
        for _ in range(PAGES_MAX):
            call = self._format.jobs_call(offset)
            jobs = await self._read(call, lambda reply: self._format.found_jobs(plan, reply, since, known))
            if jobs is None or jobs:
                return jobs[0] if jobs else None
            offset += int(call.query.get("limit", "0"))
        return None

    @asynccontextmanager
    async def open_output(self, output: RemoteOutput) -> AsyncGenerator[OutputStream]:
        async with self._output_client().open(output) as stream:
            yield stream

    async def check_account(self) -> AccountCheck:
        call = self._format.account_call()
        if self._settings.base_url is None:
            return AccountCheck(ok=False, message=f"no base URL: set {self._variable('BASE_URL')}")
        if call is None:
            message = f"not checked: {self.name} documents no read that spends nothing"
            return AccountCheck(ok=True, checked=False, message=message)
        try:
            return await self._read(call, self._format.account)
        except GatewayUnavailable as error:
            if error.status in _NO_SUCH_READ:
                why = f"{call.method} {call.path} answers {error.status}"
                other = f"{self._variable('BASE_URL')} is not its address"
                message = f"cannot be checked: {why}, so {self.name} has no such read, or {other}"
                return AccountCheck(ok=True, checked=False, message=message)
            return AccountCheck(ok=False, message=error.message)

    def read_hook(self, hook: HookRequest, secret: str, now: datetime) -> HookReading | None:
        shared = self._settings.webhook_secret
        key = self._format.hook_key(secret, None if shared is None else shared.get_secret_value())
        delivery = None if key is None else signed_delivery(hook.headers, hook.body, key, now)
        if key is not None and delivery is None:
            return None
        return HookReading(delivery, goes_on=self._format.goes_on(parse_body("application/json", hook.body)))

    async def aclose(self) -> None:
        http, self._http = self._http, None
        outputs, self._outputs = self._outputs, None
        if http is not None:
            await http.aclose()
        if outputs is not None:
            await outputs.aclose()

    async def _post(self, plan: Plan, sink: AnswerSink | None) -> Reply:
        from .http import MEDIA_BYTES_MAX, READ_BYTES_MAX
        from .multipart import form_parts

        parts = form_parts(plan.body) if plan.encoding == "multipart" else None
        return await self._client().post(
            plan.path,
            plan.body,
            query=plan.query,
            multipart=parts,
            headers=plan.headers,
            timeouts=self._timeouts(2 if plan.asynchronous else 10),
            bytes_max=READ_BYTES_MAX if plan.asynchronous else MEDIA_BYTES_MAX,
            sink=sink,
        )

    async def _read(self, call: Call, read: Callable[[Reply], T], sink: AnswerSink | None = None) -> T:
        """What `read` makes of the answer.

        Raises:
            GatewayUnavailable: none came, or it is an error or unintelligible.
        """
        try:
            reply = await self._client().call(call.method, call.path, call.query, self._timeouts(), sink=sink)
        except NoReply as error:
            raise self._unavailable(error.message) from error

        def understood() -> T:
            self._check(reply)
            try:
                return read(reply)
            except Unintelligible as error:
                raise self._unavailable(str(error)) from error

        return await self._made_of(reply, understood)

    async def _made_of(self, reply: Reply, work: Callable[[], T]) -> T:
        """What `work` makes of a reply: beside the event loop where it is long, and one at a time, so that all the long
        replies of a gateway together keep no more than one of the processors from others."""
        return await anyio.to_thread.run_sync(work, limiter=self._long_replies) if reply.is_long else work()

    def _check(self, reply: Reply) -> None:
        """See that the reply to a read is no error."""
        fault = self._format.fault(reply, submitting=False)
        if fault is None and not reply.ok:
            fault = Fault("provider_error", f"HTTP {reply.status}")
        if fault is None:
            return
        raise GatewayUnavailable(
            fault.reason,
            f"{self.name} answered with an error. {fault.told}",
            provider_code=fault.provider_code,
            retry_after_seconds=retry_after(reply, fault.message),
            hint=fault.hint,
            status=reply.status,
        )

    async def _observe(self, call: Call, job: Job, sink: AnswerSink | None = None) -> Observation:
        return await self._read(call, lambda reply: self._completed(self._format.observation(job, reply), reply), sink)

    def _completed(self, observation: Observation, reply: Reply) -> Observation:
        outputs = tuple(reply.held.get(o.url or "") or self._absolute(o) for o in observation.outputs)
        told = observation.told.joined(Told(ids=support_ids(reply)))
        changes: dict[str, object] = {"outputs": outputs, "told": told, "answer": kept_answer(reply.body)}
        if observation.poll_after_seconds is None and observation.state in {"queued", "running"}:
            changes["poll_after_seconds"] = retry_after(reply)
        if any(KEY_STAND_IN in url for output in outputs for url in _urls_of(output).values()):
            changes["notes"] = (*observation.notes, KEY_IN_URL)
        return observation.model_copy(update=changes)

    def _absolute(self, output: RemoteOutput) -> RemoteOutput:
        base = self._settings.base_url or ""
        changes = {name: absolute_url(base, url) for name, url in _urls_of(output).items()}
        return output.model_copy(update=changes)

    def _refused(self, reply: Reply, fault: Fault | None) -> SubmissionRefused:
        fault = fault or Fault("provider_error", f"HTTP {reply.status}")
        hint = fault.hint
        if reply.status in {404, 405} and isinstance(reply.body, bytes):
            hint = f"This may not be the gateway: ask the user to check {self._variable('BASE_URL')}."
        return SubmissionRefused(
            fault.reason,
            f"{self.name} refused the request. {fault.told}",
            provider_code=fault.provider_code,
            retry_after_seconds=retry_after(reply, fault.message),
            hint=hint,
        )

    def _lost(self, what: str, reply: Reply | None = None) -> SubmissionLost:
        hint = None
        if reply is not None and 300 <= reply.status < 400:
            elsewhere = f"A redirect: ask the user to check {self._variable('BASE_URL')}."
            hint = f"{elsewhere} {standing_hint('outcome_unknown', 'unknown')}"
        stop = "" if what.endswith(('"', ".")) else "."
        message = f"{self.name} may have accepted the request and may charge for it, but {what}{stop}"
        return SubmissionLost(message, hint=hint)

    def _unavailable(self, what: str) -> GatewayUnavailable:
        return GatewayUnavailable("provider_error", f"{self.name} could not be read: {what}")

    def _timeouts(self, factor: int = 1) -> "Timeouts":
        """A submission may take twice as long as a read, and one that is answered with the media ten times."""
        from .http import Timeouts

        return Timeouts(total=self._settings.timeout_seconds * factor)

    def _client(self) -> "HttpClient":
        if self._http is None:
            from .http import HttpClient

            self._http = HttpClient(
                self._base_url(),
                self._key(),
                requests_max=self._settings.requests_max,
                transport=self._transport,
            )
        return self._http

    def _output_client(self) -> "OutputClient":
        if self._outputs is None:
            from .downloads import OutputClient

            self._outputs = OutputClient(
                self._settings.base_url,
                self._key(),
                result_origins=self._settings.result_origins,
                transport=self._transport,
            )
        return self._outputs

    def _base_url(self) -> str:
        if self._settings.base_url is None:
            variable = self._variable("BASE_URL")
            raise NoReply("refused", f"no base URL is set for it; the user must set {variable}")
        return self._settings.base_url

    def _key(self) -> str | None:
        key = self._settings.api_key
        return key.get_secret_value() if key is not None else None

    def _variable(self, suffix: str) -> str:
        return f"{self.name.upper().replace('-', '_')}_{suffix}"


def _urls_of(output: RemoteOutput) -> dict[str, str]:
    return {name: url for name in ("url", "fallback_url") if (url := getattr(output, name))}
