"""The fault points: every boundary between two steps of a generation's life, and what must come of a task there."""

from dataclasses import dataclass
from typing import Final, Literal

Ability = Literal["paid", "polls", "downloads", "delivers", "lists", "cancels", "goes-on"]
"""What a gateway does with one kind of request: it costs money; jobs are looked at; outputs are fetched from an
address; the answer to the POST holds the bytes; jobs are listed; jobs are cancelled; jobs cannot be cancelled."""

End = Literal["nothing", "kept", "answer lost", "cancelled", "kept late"]
"""nothing      no record and no job; the same call then pays once
kept         succeeded, with the file kept
answer lost  kept, where the gateway lists its jobs or asks no money; elsewhere `unknown`, charged `unknown`
cancelled    cancelled at the gateway
kept late    cancelled here; the late result is kept all the same, and `charged` says `yes`
"""

Errand = Literal["generate", "cancel", "abandon"]


@dataclass(frozen=True)
class FaultPoint:
    """A place where a process is killed."""

    name: str
    meaning: str
    kills: tuple[str, ...]
    """The seam where the first process is killed, then that of each process which takes over."""
    end: End
    needs: frozenset[Ability] = frozenset()
    """A gateway without these never comes here."""
    errand: Errand = "generate"
    nth: int = 1
    """How often the first process passes the seam before."""
    held_at: str | None = None
    """The first process is told to stop (SIGTERM) while it waits here, and killed on its way out."""
    accepted: Literal["no", "maybe", "yes"] = "yes"
    """Whether the gateway has the job when the first process dies."""

    def decided_by(self, abilities: frozenset[Ability]) -> frozenset[Ability]:
        """Those of a ground's abilities that decide what comes of the task here."""
        return abilities & _DECIDE_A_LOSS if self.end == "answer lost" else frozenset()


_DECIDE_A_LOSS: Final = frozenset[Ability]({"paid", "lists", "delivers"})

PAID: Final = frozenset[Ability]({"paid"})
POLLS: Final = frozenset[Ability]({"polls"})
DOWNLOADS: Final = frozenset[Ability]({"downloads"})
DELIVERS: Final = frozenset[Ability]({"delivers"})
LISTS: Final = frozenset[Ability]({"lists"})
CANCELS: Final = frozenset[Ability]({"cancels"})
GOES_ON: Final = frozenset[Ability]({"goes-on"})

_LOST: Final = "answer lost"

SUBMISSION: Final = (
    FaultPoint("before the journal", "the call came; nothing is written", ("journal.before",), "nothing",
               accepted="no"),
    FaultPoint("after the journal", "the record is on disk; the POST has not begun", ("journal.after",), _LOST,
               accepted="no"),
    FaultPoint("before the POST", "the submission begins; no byte is written", ("submit.before",), _LOST,
               accepted="no"),
    FaultPoint("POST written", "its last byte is in the socket; the gateway may have read it", ("request.written",),
               _LOST, PAID, accepted="maybe"),
    FaultPoint("answer begins", "the gateway accepted; its answer is not read", ("answer.head",), _LOST, PAID),
    FaultPoint("answer read", "it is understood; nothing of it is written", ("submit.after",), _LOST),
    FaultPoint("before the job's id", "its write begins", ("job-id.before",), _LOST, POLLS),
    FaultPoint("after the job's id", "the job is on record", ("job-id.after",), "kept", POLLS),
)  # fmt: skip

LOOKS: Final = (
    FaultPoint("before a look", "the GET has not begun", ("poll.before-look",), "kept", POLLS),
    FaultPoint("after a look", "what the GET says is not written", ("poll.looked",), "kept", POLLS),
    FaultPoint("before a look's write", "the same", ("poll.before",), "kept", POLLS),
    FaultPoint("after a look's write", "the record says what the GET said", ("poll.after",), "kept", POLLS),
    FaultPoint("after a later look", "the second GET's answer is not written", ("poll.looked",), "kept", POLLS, nth=2),
)

KEEPING: Final = (
    FaultPoint("before the success", "the gateway is done; the record does not say so", ("success.before",), "kept",
               DOWNLOADS),
    FaultPoint("after the success", "the record says so; nothing is kept", ("success.after",), "kept", DOWNLOADS),
    FaultPoint("before the download", "the output's address is not asked", ("download.before",), "kept", DOWNLOADS),
    FaultPoint("inside the download", "some bytes are in a temporary file", ("download.inside",), "kept", DOWNLOADS),
    FaultPoint("after the download", "all bytes are there; the file has no name", ("download.end",), "kept", DOWNLOADS),
    FaultPoint("after the file", "it is in place; its sidecar is not", ("file.after",), "kept", POLLS),
    FaultPoint("after the sidecar", "both are in place; the record does not say so", ("sidecar.after",), "kept", POLLS),
    FaultPoint("before the final write", "everything is done but the record", ("final.before",), "kept", POLLS),
    FaultPoint("after the final write", "everything is done", ("final.after",), "kept", POLLS),
)  # fmt: skip

DELIVERY: Final = (
    FaultPoint("bytes in the answer", "they are in memory only", ("file.before",), _LOST, DELIVERS),
    FaultPoint("answered, after the file", "it is in place; its sidecar is not", ("file.after",), _LOST, DELIVERS),
    FaultPoint("answered, after the sidecar", "both are in place; the record does not say so", ("sidecar.after",),
               "kept", DELIVERS),
    FaultPoint("answered, before the record", "the same", ("job-id.before",), "kept", DELIVERS),
    FaultPoint("answered, after the record", "everything is done", ("job-id.after",), "kept", DELIVERS),
)  # fmt: skip

CANCELLING: Final = (
    FaultPoint("cancel asked for", "on record; the gateway does not know", ("cancel-asked.after",), "kept", CANCELS,
               "cancel"),
    FaultPoint("before the cancel's POST", "the same", ("cancel.before",), "kept", CANCELS, "cancel"),
    FaultPoint("after the cancel's POST", "the gateway cancelled; the record does not say so", ("cancel.after",),
               "cancelled", CANCELS, "cancel"),
    FaultPoint("before the cancelled write", "the same", ("cancelled.before",), "cancelled", CANCELS, "cancel"),
    FaultPoint("after the cancelled write", "the record says so", ("cancelled.after",), "cancelled", CANCELS,
               "cancel"),
    FaultPoint("before giving up", "asked to abandon what goes on at the gateway; not written", ("cancelled.before",),
               "kept", GOES_ON, "abandon"),
    FaultPoint("after giving up", "cancelled here; the gateway goes on", ("cancelled.after",), "kept late", GOES_ON,
               "abandon"),
)  # fmt: skip

TAKEOVER: Final = (
    FaultPoint("before a takeover", "a second process saw the orphan", ("job-id.after", "takeover.before"), "kept",
               POLLS),
    FaultPoint("after a takeover", "a second process has the task", ("job-id.after", "takeover.after"), "kept",
               POLLS),
    # Two deaths in its steps would set it aside: tests/hostile/test_setting_aside.py.
    FaultPoint("taken over twice", "two more processes die with it, before its next look",
               ("poll.after", "takeover.after", "takeover.after"), "kept", POLLS),
    FaultPoint("before the loss is written", "a second process found the submission in flight",
               ("submit.after", "lost.before"), _LOST, PAID),
    FaultPoint("after the loss is written", "the record says that the answer is lost", ("submit.after", "lost.after"),
               _LOST, PAID),
    FaultPoint("before the search", "the gateway's list is not asked", ("submit.after", "search.before"), _LOST, LISTS),
    FaultPoint("after the search", "the list holds the job; the record does not", ("submit.after", "search.after"),
               _LOST, LISTS),
    FaultPoint("before the find is written", "the same", ("submit.after", "found.before"), _LOST, LISTS),
    FaultPoint("after the find is written", "the found job is on record", ("submit.after", "found.after"), _LOST,
               LISTS),
)  # fmt: skip

STOPPING: Final = (
    FaultPoint("stopping, before the loss", "told to stop while the answer is awaited", ("lost.before",), _LOST, PAID,
               held_at="answer.head"),
    FaultPoint("stopping, after the loss", "the record says that the answer is lost", ("lost.after",), _LOST, PAID,
               held_at="answer.head"),
)  # fmt: skip

POINTS: Final = (*SUBMISSION, *LOOKS, *KEEPING, *DELIVERY, *CANCELLING, *TAKEOVER, *STOPPING)
