"""What can become of the answer to a paid POST: how it comes about, and what it must be taken for."""

from dataclasses import dataclass
from typing import Final, Literal

from ..gateways.proxies import PROXY_ANSWERS

Taken = Literal["lost", "refused"]
"""lost     the gateway may have accepted: `unknown`, charged `unknown`; or found in the gateway's list
refused  the gateway definitely has no job: `failed`, charged `no`
"""


@dataclass(frozen=True)
class Outcome:
    """One row of the matrix, for a gateway that can be reached."""

    name: str
    word: str
    """Steers the simulated gateway."""
    taken: Taken = "lost"
    accepted: bool = True
    """Whether the gateway has the job all the same."""
    impatient: bool = False
    """The gateway is given little time."""
    only_jobs: bool = False
    """Not where the answer holds the medium and no job."""
    armed: bool = False
    """Done to the connection before the request is read, so not by a word in the prompt."""


OUTCOMES: Final = (
    Outcome("connection reset before the request was read", "reset-before-body", accepted=False, armed=True),
    Outcome("connection closed before the request was read", "cut-before-body", accepted=False, armed=True),
    Outcome("connection closed, not accepted", "cut-before-accept", accepted=False),
    Outcome("connection closed, accepted", "cut-after-accept"),
    Outcome("connection reset, not accepted", "reset-before-accept", accepted=False),
    Outcome("connection reset, accepted", "reset-after-accept"),
    Outcome("half an answer", "half-response-after-accept"),
    Outcome("no answer in time", "hang-after-accept", impatient=True),
    Outcome("an answer that drips without end", "slow-drip-after-accept:0.05", impatient=True),
    Outcome("an answer that is no HTTP", "not-http-after-accept"),
    Outcome("500 with the gateway's body", "http:500", accepted=False),
    Outcome("503 with the gateway's body", "http:503", "refused", accepted=False),
    Outcome("429 with the gateway's body", "retry-after:1", "refused", accepted=False),
    Outcome("500 without a body, not accepted", "http-empty-before-accept:500", accepted=False),
    Outcome("500 without a body, accepted", "http-empty-after-accept:500"),
    Outcome("502 page of a proxy, not accepted", "html-502-before-accept", accepted=False),
    Outcome("502 page of a proxy, accepted", "html-502-after-accept"),
    Outcome("200 with a page", "html-200-after-accept"),
    Outcome("200 without a body", "empty-200-after-accept"),
    Outcome("200 with JSON that breaks off", "junk-json-after-accept"),
    Outcome("200 with null", "null-json-after-accept"),
    Outcome("200 with a list", "list-json-after-accept"),
    Outcome("200 with JSON 100,000 deep", "deep-json-after-accept"),
    # More than any answer may have that is held in memory (64 MiB); media in an answer go to the disk, whole.
    Outcome("200 with an enormous body", "huge-json-after-accept:80"),
    Outcome("200 in no encoding", "bad-utf8-after-accept"),
    Outcome("200 without an id", "no-id", only_jobs=True),
    Outcome("200 with an empty id", "empty-id", only_jobs=True),
)

BEHIND_PROXIES: Final = tuple(
    Outcome(
        f"{answer.meaning} ({answer.source}), {'accepted' if accepted else 'not accepted'}",
        f"{answer.name}-{'after' if accepted else 'before'}-accept",
        accepted=accepted,
        only_jobs=answer.names_the_job,
    )
    for accepted in (True, False)
    for answer in PROXY_ANSWERS
    if accepted or not answer.names_the_job
)
"""What stands between rushes and a gateway answers in its place, whether or not the gateway took the job."""
