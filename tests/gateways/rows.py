"""The behaviours that every gateway has."""

from typing import Final

from .behaviours import ALIASES, Behaviour
from .faults import FAULTS

_FAULT: Final = "fault injection: what proxies, networks and broken servers do"
_LIFE: Final = "the states of the gateway's own page"
_MEDIA: Final = "object stores and CDNs"


def _fault_rows() -> list[Behaviour]:
    rows: list[Behaviour] = []
    for name, fault in FAULTS.items():
        accepted = "after" if fault.accepted else "before"
        meaning = f"create: {fault.meaning} ({accepted} the job is accepted)"
        rows.append(Behaviour(name, "create", meaning, _FAULT, fault.parameters))
        for timing in ("before", "after"):
            meaning = f"create: {fault.meaning}, {timing} the job is accepted"
            rows.append(Behaviour(f"{name}-{timing}-accept", "create", meaning, _FAULT, fault.parameters))
        for moment in ("poll", "cancel", "read", "output"):
            meaning = f"{moment}: {fault.meaning}"
            rows.append(Behaviour(f"{moment}-{name}", moment, meaning, _FAULT, (*fault.parameters,)))
    return rows


JOB_ROWS: Final = (
    Behaviour("polls", "job", "the end shows after N looks (2 without this word)", _LIFE, ("N",)),
    Behaviour("manual", "job", "stays queued until the control API moves it", _LIFE),
    Behaviour("stuck", "job", "runs for ever", _LIFE),
    Behaviour("fail", "job", "fails: a reason such as content_violation in the gateway's own form, or a literal code",
              _LIFE, ("REASON_OR_CODE", "MESSAGE")),
    Behaviour("cancelled", "job", "ends cancelled, in the gateway's spelling", _LIFE),
    Behaviour("states", "job", "the status words of the first looks, separated by commas", _LIFE, ("WORDS",)),
    Behaviour("unknown-state", "job", "a status word that no page names, for N looks (2)", _FAULT, ("WORD", "N")),
    Behaviour("success-word", "job", "success is written so", "variants of the same format", ("WORD",)),
    Behaviour("failure-word", "job", "failure is written so", "variants of the same format", ("WORD",)),
    Behaviour("cancelled-word", "job", "cancelled is written so", "both spellings are in use", ("WORD",)),
    Behaviour("success-no-output", "job", "success, and never an output", _FAULT),
    Behaviour("output-after", "job", "success without an output for N looks, then with it", "clients that keep polling",
              ("N",)),
    Behaviour("outputs", "job", "N outputs", _LIFE, ("N",)),
    Behaviour("output-expires-in", "job", "signed addresses that expire in so many seconds (may be negative)", _MEDIA,
              ("SECONDS",)),
    Behaviour("output-address", "job", "the result address is this scheme: file, ftp, data, private, relative, other",
              _FAULT, ("FORM",)),
    Behaviour("ends-in", "job", "ends by itself after so many seconds, whatever looks there are", _LIFE, ("SECONDS",)),
    Behaviour("hook-none", "job", "its webhook never comes", _FAULT),
    Behaviour("hook-twice", "job", "its webhook comes twice", "tries that were answered too late"),
    Behaviour("hook-late", "job", "its webhook comes so many seconds after the end", _FAULT, ("SECONDS",)),
    Behaviour("hook-early", "job", "ends at once, and its webhook comes before the answer to its create", _FAULT),
    Behaviour("hook-running", "job", "a webhook tells that it goes on, too", "Replicate's event `start`"),
    Behaviour("look-after", "switch", "Retry-After in the answers of a job that goes on (here it may be a fraction)",
              "RFC 9110, 10.2.3; no page of these gateways names it", ("SECONDS",)),
    Behaviour("vanish", "job", "unknown to the gateway after N looks (1)", _FAULT, ("N",)),
)  # fmt: skip

CREATE_ROWS: Final = (
    Behaviour("no-id", "create", "create: accepted, but the answer has no id", _FAULT),
    Behaviour("empty-id", "create", "create: accepted, but the id is an empty string", _FAULT),
    Behaviour("created-status", "create", "create: success with this HTTP status", "pages that do not say which 2xx",
              ("STATUS",)),
    Behaviour("reset-before-body", "connect", "POST: reset before the body is read; only through the control API",
              _FAULT),
    Behaviour("cut-before-body", "connect", "POST: closed before the body is read; only through the control API",
              _FAULT),
)  # fmt: skip

OUTPUT_ROWS: Final = (
    Behaviour("output-expired", "output", "download: 403 as an expired signature gives", _MEDIA),
    Behaviour("output-redirect-private", "output", "download: a redirect to a private address", _FAULT, ("HOST",)),
    Behaviour("output-redirect-file", "output", "download: a redirect to a file: address", _FAULT),
    Behaviour("output-redirect-loop", "output", "download: a redirect to itself", _FAULT),
    Behaviour("output-moved", "output", "download: a redirect to another path, which has it", _MEDIA),
    Behaviour("output-huge", "output", "download: N megabytes that never look like ending", _FAULT, ("MEGABYTES",)),
    Behaviour("output-claims-huge", "output", "download: a Content-Length of a terabyte", _FAULT),
    Behaviour("output-empty", "output", "download: 200 and no bytes", _FAULT),
    Behaviour("output-wrong-type", "output", "download: the right bytes as application/octet-stream", _MEDIA),
    Behaviour("output-lying-type", "output", "download: text that calls itself the promised medium", _FAULT),
    Behaviour("output-json", "output", "download: 200 with a JSON error", _MEDIA),
    Behaviour("output-cut-short", "output", "download: the first half, without a length that would tell", _FAULT),
    Behaviour("output-no-length", "output", "download: right, in chunks without a length", _MEDIA),
    Behaviour("output-evil-name", "output", "download: a Content-Disposition that names ../../outside", _FAULT),
    Behaviour("output-needs-key", "output", "download: 401 without Authorization (and a violation with it)",
              "Replicate's page on its file addresses"),
)  # fmt: skip


def common_rows() -> list[Behaviour]:
    """All rows that hold for every gateway."""
    return [*_fault_rows(), *CREATE_ROWS, *JOB_ROWS, *OUTPUT_ROWS]


def alias_lines() -> list[str]:
    return [f"{alias} = {word.text()}" for alias, word in ALIASES.items()]
