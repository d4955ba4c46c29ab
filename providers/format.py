"""The format: pure functions between our vocabulary and one gateway's JSON. No I/O, no clock, no key.

A gateway is one subclass of `Format` in `formats/`, one data file in `facts/` and one line in `registry.py`.
`HttpProvider` (`client/gateway.py`) does the rest: it sends what a format describes as a `Call` or `Plan` and gives
it the `Reply`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from pydantic import JsonValue

from ..domain.errors import ConfigurationError, FailureReason, RequestRefused
from ..domain.failure import gateway_says
from ..domain.job import Job, JobState, Observation, Plan, Submission
from ..domain.model_facts import ModelFacts
from ..domain.request import GenerationRequest
from .client.reply import Reply
from .provider import AccountCheck, ProviderSettings, Traits

_STANDING = re.compile(r"HTTP \d{3}|the generation failed")
"""What is said where a gateway said nothing."""

JOB_ID_LIMIT = 1024
"""A longer id is no id."""

_UNREAD = "\ufffd"
"""Stands for bytes that were no text: an id that holds it is another than the gateway's, and would never be found."""

MEDIA_GIVEN = "media"
"""Among a plan's details: which kinds of media go in, so that no failure is laid on an input that nobody gave."""

_ID_NAMES = frozenset({"taskid", "jobid", "predictionid", "generationid", "videoid"})
_HOLDERS_OF_AN_ID = frozenset({"data", "details", "generation", "job", "prediction", "result", "task", "video"})
_DEPTH_MAX = 6
_STATUS_NAMES = ("status", "state", "task_status")
_HOOK_DEPTH_MAX = 3


@dataclass(frozen=True)
class Call:
    """A request without a body of its own: a read, or a cancellation. `path` is percent-encoded."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    method: str = "GET"


@dataclass(frozen=True)
class Fault:
    """What went wrong according to a gateway's reply, in our words."""

    reason: FailureReason
    message: str
    provider_code: str | None = None
    hint: str | None = None
    """Ours; a gateway's words never stand in it."""
    ours: bool = False
    """Whether the message is in our words, and not the gateway's."""

    @property
    def told(self) -> str:
        """The message for people and agents: a gateway's words are marked as such."""
        ours = self.ours or _STANDING.fullmatch(self.message)
        return self.message if ours else gateway_says(self.message)


class Unintelligible(Exception):
    """A reply that should hold a job, a list or a balance holds none. The message says what was missing."""


class Format(ABC):
    """One gateway's format, for one configured provider (`settings` has its name and its switches)."""

    traits: ClassVar[Traits] = Traits()
    states: ClassVar[Mapping[str, JobState]] = {}
    """The gateway's words for the state of a job."""
    hook_fields: tuple[str, ...] = ()
    """The gateway's own fields by which a submission names a webhook; none where it cannot call back."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.name = settings.name
        self.options = settings.options

    def adapt_facts(self, facts: ModelFacts) -> ModelFacts:
        """A row of the data file as the provider's options change it."""
        return facts

    @abstractmethod
    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        """The POST that a request becomes.

        Raises:
            RequestRefused: this format has no way to say what is asked.
        """

    @abstractmethod
    def fault(self, reply: Reply, *, submitting: bool, given: frozenset[str] | None = None) -> Fault | None:
        """The error that a reply carries, whatever its HTTP status; `None` if it carries none.

        `given` names the kinds of input media in the request (`kinds_given`); `None` where they are not known.
        """

    @abstractmethod
    def is_own_error(self, reply: Reply) -> bool:
        """Whether a reply's body has the documented form of this gateway's errors, which no proxy before it writes."""

    def status_told(self, reply: Reply) -> int:
        """The HTTP status that a reply stands for: the code in its body, where a page tells of errors in a 200."""
        return reply.status

    def job_id_in(self, reply: Reply) -> str | None:
        """The id of a job that a reply names, whatever its status."""
        return named_job(reply.body)

    @abstractmethod
    def submission(self, plan: Plan, reply: Reply) -> Submission:
        """The job that a successful reply to the POST tells of.

        Raises:
            Unintelligible: it tells of none.
        """

    @abstractmethod
    def poll_call(self, job: Job) -> Call:
        """The GET that looks at a job."""

    @abstractmethod
    def observation(self, job: Job, reply: Reply) -> Observation:
        """What a successful reply to a poll says.

        Raises:
            Unintelligible: it says nothing about a job.
        """

    def cancel_call(self, job: Job) -> Call:
        """The request that cancels a job; only where `traits.cancels`."""
        raise NotImplementedError

    def jobs_call(self, offset: int) -> Call:
        """The GET that lists jobs, newest first; only where `traits.finds_jobs`."""
        raise NotImplementedError

    def found_jobs(self, plan: Plan, reply: Reply, since: datetime, known: Collection[str]) -> Sequence[Job] | None:
        """Jobs in a list that a plan may have become, newest first; `None` when no further page can hold one.

        Raises:
            Unintelligible: the reply holds no list.
        """
        raise NotImplementedError

    def callback(self, plan: Plan, address: str) -> dict[str, JsonValue]:  # noqa: ARG002
        """The fields that ask the gateway to call back when the plan's job ends, beside those of the plan's body; none
        where it cannot. `SECRET_STAND_IN` stands for a secret that the gateway is to sign with.
        """
        return {}

    def hook_key(self, secret: str, shared: str | None) -> bytes | None:  # noqa: ARG002
        """The key of a hook's signature: from the secret that was given with the task, or from the one that all hooks
        share. `None` where hooks are not signed.
        """
        return None

    def goes_on(self, body: JsonValue | bytes) -> bool:
        """Whether a hook's body says, in the words of a look, that the job has not ended."""
        said = [self.states.get(word) for word in _status_words(body, _HOOK_DEPTH_MAX)]
        return bool(said) and all(state in ("queued", "running") for state in said)

    def account_call(self) -> Call | None:
        """The cheapest documented read; `None` where there is none."""
        return None

    def account(self, reply: Reply) -> AccountCheck:
        """What a successful reply to `account_call` says; never raises for an unexpected shape."""
        raise NotImplementedError

    def models_call(self) -> Call | None:
        """The GET of the live list of models; `None` where there is none."""
        return None

    def live_models(self, reply: Reply) -> Sequence[ModelFacts]:
        """The models that a live list tells of.

        Raises:
            Unintelligible: the reply holds no list.
        """
        raise NotImplementedError

    def option(self, name: str, default: str, choices: Sequence[str]) -> str:
        """A switch from the provider's options; to be read when the format is made.

        Raises:
            ConfigurationError: it has a value that does not exist.
        """
        value = self.options.get(name, default)
        if not isinstance(value, str) or value not in choices:
            message = f"providers.{self.name}.options.{name} is {value!r}; it can be {', '.join(choices)}"
            raise ConfigurationError(message)
        return value


def segment(text: str) -> str:
    """One segment of a path: percent-encoded, so that an id with a slash or a colon stays one segment.

    Raises:
        RequestRefused: the text is empty or a dot segment, which would name another path.
    """
    if text.strip() in {"", ".", ".."}:
        raise RequestRefused("not_found", f"{text!r} is not a name that a gateway could know")
    return quote(text, safe="")


def job_id_of(value: JsonValue) -> str:
    """A job's id as a gateway gave it.

    Raises:
        Unintelligible: it is no text that could be asked for again.
    """
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if text.strip() in {"", ".", ".."} or len(text) > JOB_ID_LIMIT or not text.isprintable() or _UNREAD in text:
        raise Unintelligible("the reply has no job id")
    return text


def named_job(body: JsonValue | bytes) -> str | None:
    """The id of a job anywhere in a reply's body, under the names that gateways have for one; ids of requests, traces
    and errors are none."""
    return next(_ids_in(body, "data", _DEPTH_MAX), None) if isinstance(body, dict) else None


def _ids_in(value: JsonValue, holder: str, depth: int) -> Iterator[str]:
    if isinstance(value, list) and depth > 0:
        for item in value:
            yield from _ids_in(item, holder, depth - 1)
    if not isinstance(value, dict) or depth <= 0:
        return
    for name, item in value.items():
        plain = name.replace("_", "").replace("-", "").casefold()
        if plain in _ID_NAMES or (plain == "id" and holder in _HOLDERS_OF_AN_ID):
            try:
                yield job_id_of(item)
            except Unintelligible:
                continue
        else:
            yield from _ids_in(item, plain, depth - 1)


def _status_words(value: JsonValue | bytes, depth: int) -> Iterator[str]:
    if not isinstance(value, dict) or depth <= 0:
        return
    for name, item in value.items():
        if isinstance(item, str) and name in _STATUS_NAMES:
            yield item
        yield from _status_words(item, depth - 1)


def kinds_given(details: Mapping[str, JsonValue]) -> frozenset[str] | None:
    """The kinds of input media that a plan's or job's details name; `None` for one made before they were noted."""
    media = details.get(MEDIA_GIVEN)
    return frozenset(str(kind) for kind in media) if isinstance(media, list) else None
