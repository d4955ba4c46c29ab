"""Replicate: RouteAny's wire format at its origin; errors are `{detail}`, a prediction's error is a string."""

import base64
from dataclasses import replace
from typing import ClassVar, Final

from pydantic import JsonValue
from starlette.responses import JSONResponse, Response

from .behaviours import Behaviour, Word
from .calls import Call, Identity, Refusal
from .checks import Flaw, texts_of
from .hooks import Outgoing, signed
from .jobs import Draft, Job
from .routeany import RouteAny

_LIMITS: Final = "Replicate's page on rate limits"
_HTTP: Final = "Replicate's HTTP API"
DATA_URL_BYTES_MAX: Final = 256 * 1024
WEBHOOK_SECRET: Final = "whsec_" + base64.b64encode(b"the secret of a simulated account").decode()


def _detail(status: int, detail: str, title: str = "") -> Response:
    content: dict[str, JsonValue] = {"detail": detail}
    if title:
        content = {"title": title, "detail": detail, "status": status}
    return JSONResponse(content, status, media_type="application/problem+json")


def _throttled() -> Response:
    return _detail(429, "Request was throttled. Your rate limit resets in ~30s.")


_DETAILS: Final = {
    401: ("Unauthenticated", "You did not pass a valid authentication token"),
    402: ("Insufficient credit", "You have insufficient credit to run this model"),
    404: ("", "The requested resource could not be found."),
    429: ("", "Request was throttled. Your rate limit resets in ~30s."),
    500: ("", "Internal server error"),
}


class Replicate(RouteAny):
    identity = Identity("replicate", "REPLICATE", "REPLICATE_API_TOKEN", "r8_")
    refusals: ClassVar = {
        "rate-limit": Refusal("429, the delay only in the sentence (~30s)", _LIMITS, _throttled),
        "no-credits": Refusal("402 Insufficient credit", _HTTP, lambda: _detail(402, *reversed(_DETAILS[402]))),
        "unknown-model": Refusal("404 with a detail", _HTTP, lambda: _detail(404, _DETAILS[404][1])),
    }
    own_behaviours = (
        *(row for row in RouteAny.own_behaviours if row.name != "error-string"),
        Behaviour(
            "error-object", "switch", "the error of a prediction is an object, as at RouteAny", "RouteAny's pages"
        ),
        Behaviour("aborted", "job", "ends in the status aborted", "the types of Replicate's JavaScript client"),
    )

    def error(self, status: int, message: str = "", code: str = "") -> Response:
        title, usual = _DETAILS.get(status, ("", "The request failed"))
        return _detail(status, message or usual, title)

    def refuse_input(self, flaws: list[Flaw]) -> Response:
        detail = "".join(f"- {flaw.field}: {flaw.message}\n" for flaw in flaws)
        return _detail(422, detail, "Input validation failed")

    def hook(self, job: Job) -> Outgoing | None:
        """Signed with the account's secret (Replicate's page on verifying webhooks)."""
        outgoing = super().hook(job)
        if outgoing is None:
            return None
        key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
        return replace(outgoing, headers=signed(outgoing.body, f"msg_{job.job_id}_{job.phase}", key))

    def new_id(self, draft: Draft, words: tuple[Word, ...]) -> str:
        return super().new_id(draft, words).removeprefix("pred_").lower()

    def signed_query(self, job: Job, expires_at: float) -> str:
        return ""

    async def create(self, call: Call) -> Response:
        if any(text.startswith("data:") and len(text) > DATA_URL_BYTES_MAX for text in texts_of(call.body)):
            self.violate(call, "refused-field", "a data URL over 256 KB")
            return self.refuse_input([Flaw("input", "a data URL is at most 256 KB", missing=False)])
        return await super().create(call)

    def prediction(self, job: Job) -> dict[str, JsonValue]:
        shown = super().prediction(job)
        if job.word("aborted") and job.phase == "cancelled":
            shown["status"] = "aborted"
        return shown

    def prepare(self, job: Job) -> None:
        super().prepare(job)
        if job.word("aborted"):
            job.ending = "cancelled"

    def error_of(self, job: Job) -> JsonValue:
        if job.phase != "failed" or job.trouble is None or self.switched("error-object", job):
            return super().error_of(job)
        return f"{job.trouble.code}: {job.trouble.message}"
