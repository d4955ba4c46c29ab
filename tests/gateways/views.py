"""What the simulator recorded, as the control API tells it."""

from typing import Literal

from pydantic import BaseModel, JsonValue

Kind = Literal["video", "image", "audio"]
Phase = Literal["queued", "running", "succeeded", "failed", "cancelled", "expired"]
Authorization = Literal["absent", "valid", "invalid"]

ViolationKind = Literal[
    "undocumented-path",  # no page of this gateway has this method and path
    "unknown-field",  # a field that no page of this gateway names
    "empty-field",  # null, "", [] or {} where nothing was asked for
    "refused-field",  # the page says that this value is not accepted
    "unexpected-body",  # a body where none is documented, or one that is not JSON
    "key-elsewhere",  # a gateway's key outside its own Authorization header
    "url-followed",  # an address from a gateway's answer that nobody should call
    "query-changed",  # a signed address came back with another query
]


class Violation(BaseModel):
    """Something that a careful client would not have sent."""

    kind: ViolationKind
    gateway: str
    detail: str
    request: int | None = None


class RequestView(BaseModel):
    """One request at a gateway. `headers` has no key: `authorization` says what was there."""

    number: int
    gateway: str
    method: str
    path: str
    """Below the gateway's prefix, percent-encoding as sent."""
    query: dict[str, list[str]]
    headers: dict[str, str]
    authorization: Authorization
    body: JsonValue = None
    """The JSON body, or the fields of a form; long strings are shortened."""
    status: int | None = None
    """Of the answer; `None` while it is under way, and where the connection was cut instead."""
    job_id: str | None = None
    """The job that this request created."""


class FetchView(BaseModel):
    """One request at the media origin."""

    path: str
    query: dict[str, list[str]]
    job_id: str | None
    authorization: Authorization
    """Anything but `absent` is a leak."""
    status: int | None = None


class HookView(BaseModel):
    """One webhook that was sent."""

    gateway: str
    job_id: str
    url: str
    sent_at: float
    """Unix time, as all moments here."""
    status: int | None = None
    seconds: float | None = None
    """Until it was answered."""
    problem: str | None = None


class JobView(BaseModel):
    """One accepted, and so paid, job."""

    number: int
    gateway: str
    job_id: str
    kind: Kind
    model: str
    prompt: str
    phase: Phase
    polls: int
    path: str
    body: JsonValue
    content: str
    """Digest of path and body: equal for equal submissions."""
    behaviours: list[str]
    output_urls: list[str]
    created_at: float
    finished_at: float | None
    price: str = "0"
    """What it costs if it ends well."""
    charged: str = "0"
    """What the gateway's own account says of it now."""


class Charge(BaseModel):
    """Accepted submissions of the same content."""

    gateway: str
    content: str
    prompt: str
    job_ids: list[str]


class Charges(BaseModel):
    """How many jobs were paid for, and which contents more than once."""

    total: int
    by_content: list[Charge]

    @property
    def paid_twice(self) -> list[Charge]:
        return [charge for charge in self.by_content if len(charge.job_ids) > 1]
