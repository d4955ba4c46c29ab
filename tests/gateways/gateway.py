"""What the simulated gateways have in common: routes, the one way into a paid job, and steering by words."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, cast

from pydantic import BaseModel, JsonValue
from starlette.requests import Request
from starlette.responses import Response

from .behaviours import Behaviour, Moment, Word, words_in
from .calls import Call, Identity, Refusal, Route
from .checks import Flaw, Inspection, empties, inspect_model
from .faults import FAULTS, Cut, spoil
from .hooks import Outgoing, address_in
from .jobs import FINAL, Draft, Job, Trouble
from .offers import output_urls
from .views import Authorization, Phase
from .world import World


class Gateway(ABC):
    """One simulated gateway. Subclasses hold what its pages say; everything that is steered is here."""

    identity: ClassVar[Identity]
    refusals: ClassVar[Mapping[str, Refusal]] = {}
    troubles: ClassVar[Mapping[str, Trouble]] = {}
    """Failures of a job by our reason words, in this gateway's own vocabulary."""
    own_behaviours: ClassVar[tuple[Behaviour, ...]] = ()
    status_words: ClassVar[Mapping[Phase, str]]
    id_path: ClassVar[tuple[str, ...]]
    """Where the answer to a create holds the job's id."""
    may_be_empty: ClassVar[frozenset[str]] = frozenset()
    """Fields that the page itself shows empty."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def name(self) -> str:
        return self.identity.name

    @property
    def key(self) -> str:
        return self.world.keys[self.name]

    @abstractmethod
    def routes(self) -> tuple[Route, ...]: ...

    @abstractmethod
    def error(self, status: int, message: str = "", code: str = "") -> Response:
        """This gateway's own error body for an HTTP status."""

    def unauthorised(self) -> Response:
        return self.error(401)

    def undocumented(self) -> Response:
        return self.error(404)

    def answer_headers(self) -> Mapping[str, str]:
        """The headers that every answer of this gateway has."""
        return {}

    def authorization(self, request: Request) -> Authorization:
        """Whether the documented header carries this gateway's key."""
        sent = [request.headers[name] for name in self.identity.key_headers if name in request.headers]
        bearer = request.headers.get("authorization")
        if bearer is not None:
            sent.append(bearer.removeprefix("Bearer ") if bearer.startswith("Bearer ") else "")
        if not sent:
            return "absent"
        return "valid" if all(key == self.key for key in sent) else "invalid"

    # Checks

    def inspect(self, call: Call, model: type[BaseModel], body: JsonValue, at: str = "") -> list[Flaw]:
        """The wrong fields of a body; these, unknown and empty ones are recorded as violations."""
        return self.record(call, inspect_model(model, body), body, at)

    def record(self, call: Call, found: Inspection, body: JsonValue, at: str = "") -> list[Flaw]:
        """Record what an inspection found; the wrong fields, with their full paths.

        Empty fields are looked for in the whole body, so not again in a part of it.
        """
        prefix = f"{at}." if at else ""
        for where in found.unknown:
            self.violate(call, "unknown-field", prefix + where)
        for flaw in found.wrong:
            self.violate(call, "refused-field", f"{prefix}{flaw.field}: {flaw.message}")
        for where in [] if at else empties(body):
            if where not in self.may_be_empty:
                self.violate(call, "empty-field", where)
        return [Flaw(prefix + flaw.field, flaw.message, flaw.missing) for flaw in found.wrong]

    def violate(self, call: Call, kind: Literal["unknown-field", "refused-field", "empty-field"], detail: str) -> None:
        self.world.violation(kind, self.name, detail, call.entry.number)

    # The way into a job

    async def submit(self, call: Call, draft: Draft | Response, answer: Callable[[Job], Response]) -> Response:
        """Accept a checked submission, or refuse it, as the words in force say. `answer` is what success looks like."""
        if isinstance(draft, Response):
            return draft
        words = self.world.steering.for_submission(self.name, draft.prompt)
        refusal = self.refuse(draft, words)
        if refusal is not None:
            return refusal
        job = self.world.accept(self.name, self.new_id(draft, words), call.entry, draft, words)
        job.on_end = self._tell_of_end
        self.prepare(job)
        await self._go_on_by_itself(job)
        genuine = self._with_wish(self._created(job, answer(job)), job)
        if await self.world.holding.pass_through(self.name, job.job_id):
            return Cut("quiet")
        return self._faulty(words, "after", genuine) or genuine

    def hook(self, job: Job) -> Outgoing | None:
        """The webhook that tells of a job's state now; `None` where the submission named no address."""
        url = address_in(job)
        return None if url is None else Outgoing(url, self.told(job))

    def told(self, job: Job) -> bytes:
        """What a webhook's body says: as a look does, where the pages do not say otherwise."""
        raise NotImplementedError

    def _tell_of_end(self, job: Job) -> None:
        outgoing = self.hook(job)
        if outgoing is not None and not job.word("hook-early"):
            self.world.deliveries.tell(job, outgoing)

    async def _go_on_by_itself(self, job: Job) -> None:
        """What a job does before its create is answered, and without looks."""
        timed, early = job.word("ends-in"), job.word("hook-early")
        if timed is not None:
            self.world.deliveries.end_in(job, timed.number(0, 1.0))
        if early is not None:
            job.finish(job.ending)
        if (early is not None or job.word("hook-running")) and (outgoing := self.hook(job)) is not None:
            await self.world.deliveries.send(job, outgoing)

    @abstractmethod
    def new_id(self, draft: Draft, words: tuple[Word, ...]) -> str: ...

    def refuse(self, draft: Draft, words: tuple[Word, ...]) -> Response | None:
        """The refusal that the words ask for, if they do: no job is accepted."""
        return self._faulty(words, "before", Response())

    def _faulty(self, words: tuple[Word, ...], timing: str, genuine: Response) -> Response | None:
        for word in words:
            refusal = self.refusals.get(word.name) if timing == "before" else None
            name = word.name.removesuffix("-before-accept").removesuffix("-after-accept")
            fault = FAULTS.get(name)
            if refusal is not None:
                return self._with_delay(refusal.answer(), words)
            if fault is None:
                continue
            default = "after" if fault.accepted else "before"
            if timing == (default if name == word.name else word.name.split("-")[-2]):
                return self._with_delay(spoil(word, name, genuine, self.error, self.elsewhere("create")), words)
        return None

    def _with_delay(self, answer: Response, words: tuple[Word, ...]) -> Response:
        """A `retry-after` word beside another refusal adds its header to that."""
        word = next((word for word in words if word.name == "retry-after"), None)
        if word is not None and answer.status_code >= 400:
            answer.headers["retry-after"] = word.argument(0, "1")
        return answer

    def _created(self, job: Job, answer: Response) -> Response:
        status = job.word("created-status")
        if status is not None:
            answer.status_code = status.count(0, 202)
        if job.word("no-id") or job.word("empty-id"):
            content = cast(dict[str, JsonValue], json.loads(bytes(answer.body)))
            _spoil_id(content, self.id_path, empty=job.word("empty-id") is not None)
            return type(answer)(content, answer.status_code)
        return answer

    def prepare(self, job: Job) -> None:
        """Set the course of a new job by its words."""
        states, polls, fail = job.word("states"), job.word("polls"), job.word("fail")
        if states is not None:
            job.polls_before_end = len(states.argument(0, "").split(","))
        if polls is not None:
            job.polls_before_end = polls.count(0, 2)
        if fail is not None:
            job.ending, job.trouble = "failed", self.trouble(fail)
        if job.word("cancelled"):
            job.ending = "cancelled"
        if job.word("stuck"):
            job.start()
        job.manual = bool(job.word("manual") or job.word("stuck"))

    def trouble(self, word: Word) -> Trouble:
        reason = word.argument(0, "provider_error")
        known = self.troubles.get(reason, Trouble(reason, f"Generation failed: {reason}"))
        return Trouble(known.code, word.argument(1, known.message))

    # Later requests

    def job(self, job_id: str) -> Job | None:
        job = self.world.jobs.get((self.name, job_id))
        vanish = job.word("vanish") if job else None
        return None if job and vanish and job.polls >= vanish.count(0, 1) else job

    async def look(self, job: Job, view: Callable[[Job], Response]) -> Response:
        """Answer a poll: the job goes on by it, and a poll fault may take the answer's place."""
        job.look()
        return self.later("poll", self._with_wish(view(job), job), job)

    def _with_wish(self, answer: Response, job: Job) -> Response:
        """When the gateway would like the next look, where it has been told to say so."""
        word = self.switched("look-after", job)
        if word is not None and job.phase not in FINAL:
            answer.headers["retry-after"] = word.argument(0, "1")
        return answer

    def fault(self, moment: Moment, job: Job | None = None) -> Word | None:
        """The fault that hits this request, if one does; it is used up by asking."""
        return self.world.steering.take(self.name, moment, job.counted.get(moment, ()) if job else ())

    def later(self, moment: Moment, genuine: Response, job: Job | None = None) -> Response:
        """The answer to a request after the create, or what a fault makes of it."""
        word = self.fault(moment, job)
        return genuine if word is None else self.spoilt(word, moment, genuine)

    def spoilt(self, word: Word, moment: Moment, genuine: Response) -> Response:
        return spoil(word, word.name.removeprefix(f"{moment}-"), genuine, self.error, self.elsewhere(moment))

    def switched(self, name: str, job: Job | None = None, *, prompt: str = "") -> Word | None:
        """The switch `name`, if it is in force at this gateway, for this job or in this prompt."""
        return self.world.steering.switch(self.name, name, job.words if job else words_in(prompt))

    def status_word(self, job: Job) -> str:
        """The job's status as this gateway writes it, unless a word says otherwise."""
        states, unknown = job.word("states"), job.word("unknown-state")
        shown = states.argument(0, "").split(",") if states else []
        if 0 < job.polls <= len(shown):
            return shown[job.polls - 1]
        if unknown and 0 < job.polls <= unknown.count(1, 2):
            return unknown.argument(0, "reticulating")
        override = {"succeeded": "success-word", "failed": "failure-word", "cancelled": "cancelled-word"}
        word = self.switched(override[job.phase], job) if job.phase in override else None
        return word.argument(0, "") if word else self.status_words[job.phase]

    def urls(self, job: Job) -> list[str]:
        """The addresses of the outputs as they are offered at this look; empty until there are any."""
        late = job.word("output-after")
        if job.phase != "succeeded" or job.word("success-no-output"):
            return []
        if late is not None and job.looks_since_end <= late.count(0, 1):
            return []
        return output_urls(self.world, job, self.signed_query)

    def signed_query(self, job: Job, expires_at: float) -> str:
        """The query that this gateway's result addresses carry; empty where its page shows none."""
        return ""

    def elsewhere(self, what: str) -> str:
        """An address at the other origin that nobody should call."""
        return f"{self.world.origins.media}/followed/{self.name}/{what}"


def _spoil_id(content: dict[str, JsonValue], path: tuple[str, ...], *, empty: bool) -> None:
    holder = content
    for step in path[:-1]:
        holder = cast(dict[str, JsonValue], holder[step])
    if empty:
        holder[path[-1]] = ""
    else:
        del holder[path[-1]]
