"""RouteAny: predictions in Replicate's style, errors as problem+json, times in ISO 8601."""

import json
from typing import Annotated, ClassVar, Final, cast

from pydantic import Field, JsonValue
from starlette.responses import JSONResponse, Response
from ulid import ULID

from .behaviours import Behaviour, Word
from .calls import Call, Identity, Refusal, Route
from .checks import Documented, Flaw
from .faults import FAULTS
from .gateway import Gateway
from .jobs import FINAL, Draft, Job, Shape, Trouble
from .offers import object_store_query
from .routeany_forms import iso, kind_of, problem
from .views import Phase

_CREATE: Final = "RouteAny's page createPrediction"
_CANCEL: Final = "RouteAny's page cancelPrediction"
_REPLICATE: Final = "Replicate, whose format this is"
_UNPUBLISHED: Final = "not published; an error of this kind must exist"


class _Create(Documented):
    input: dict[str, JsonValue]
    webhook: Annotated[str, Field(pattern=r"^https?://")] = ""
    webhook_events_filter: list[str] = Field(default_factory=list[str])


class _Input(Documented):
    """The keys of RouteAny's example, and those of google/veo-3.1 on Replicate."""

    prompt: str
    aspect_ratio: str = "16:9"
    duration: int = 8
    image: str = ""
    last_frame: str = ""
    reference_images: list[str] = Field(default_factory=list[str])
    negative_prompt: str = ""
    resolution: str = ""
    generate_audio: bool = True
    seed: int = 0


def _with_status(answer: Response, status: int) -> Response:
    answer.status_code = status
    return answer


def _retry_sentence() -> Response:
    return problem(429, "You have exceeded the rate limit. Please retry after 2 seconds.")


class RouteAny(Gateway):
    identity = Identity("routeany", "ROUTEANY", "ROUTEANY_API_KEY", "rk_live_")
    refusals: ClassVar = {
        "rate-limit": Refusal("429, the delay only in the sentence (60 seconds)", _CREATE, lambda: problem(429)),
        "rate-limit-short": Refusal("429, the delay only in the sentence (2 seconds)", _CREATE, _retry_sentence),
        "mismatched-status": Refusal(
            "HTTP 429 whose body says status 500", _CREATE, lambda: _with_status(problem(500, code="UNKNOWN"), 429)
        ),
        "server-error": Refusal("500 INTERNAL", _CREATE, lambda: problem(500)),
        "unknown-model": Refusal("404 RESOURCE_NOT_FOUND", _CREATE, lambda: problem(404)),
        "no-credits": Refusal("402 with a problem body", _UNPUBLISHED, lambda: problem(402)),
        "no-credits-403": Refusal(
            "403 with a credit sentence", _UNPUBLISHED, lambda: problem(403, "Insufficient credit", "BILLING")
        ),
        "safety-403": Refusal(
            "403 with a sentence about content",
            _UNPUBLISHED,
            lambda: problem(403, "This request violates our content policy", "FORBIDDEN"),
        ),
    }
    troubles: ClassVar = {
        "content_violation": Trouble("CONTENT_POLICY_VIOLATION", "The content was flagged by safety moderation"),
        "timeout": Trouble("PREDICTION_TIMEOUT", "The prediction took too long"),
        "invalid_input": Trouble("VALIDATION_INVALID_ARGUMENT", "The input is not valid for this model"),
        "invalid_media": Trouble("IMAGE_DOWNLOAD_FAILED", "The input image could not be fetched"),
        "insufficient_credits": Trouble("CREDIT_EXHAUSTED", "The balance does not cover this prediction"),
        "provider_error": Trouble("INTERNAL", "An unexpected error occurred"),
    }
    status_words: ClassVar = {
        "queued": "starting",
        "running": "processing",
        "succeeded": "succeeded",
        "failed": "failed",
        "cancelled": "canceled",
        "expired": "failed",
    }
    id_path = ("id",)
    own_behaviours: ClassVar[tuple[Behaviour, ...]] = (
        Behaviour("data-removed", "job", "succeeded, but data_removed is true and output null", _REPLICATE),
        Behaviour("output-form", "switch", "output is: string, list, object, nested", _REPLICATE, ("FORM",)),
        Behaviour("error-string", "switch", "the error of a prediction is a plain string", _REPLICATE),
        Behaviour("cancel-after-end", "switch", "cancelling a finished prediction gives: 400, 409, 200", _CANCEL,
                  ("STATUS",)),
        Behaviour("cancel-then-success", "job", "cancel answers canceled, later looks show success",
                  "races of this kind"),
        Behaviour("unlisted", "job", "not in the list for N calls (1)", "lists that lag behind", ("N",)),
        Behaviour("cancel-ignored", "job", "cancel answers 200, and the prediction goes on", "races of this kind"),
    )  # fmt: skip
    created_status: ClassVar[int] = 201

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/v1/models/{owner}/{model}/predictions", self.create, "json"),
            Route("GET", "/v1/predictions", self.list, query=("status", "limit", "offset")),
            Route("GET", "/v1/predictions/{id}", self.get),
            Route("POST", "/v1/predictions/{id}/cancel", self.cancel),
        )

    def error(self, status: int, message: str = "", code: str = "") -> Response:
        return problem(status, message, code)

    def refuse_input(self, flaws: list[Flaw]) -> Response:
        return problem(400, f"The '{flaws[0].field}' field: {flaws[0].message}", errors=flaws)

    def new_id(self, draft: Draft, words: tuple[Word, ...]) -> str:
        return f"pred_{ULID()}"

    def signed_query(self, job: Job, expires_at: float) -> str:
        return object_store_query(self.world, job, expires_at)

    async def create(self, call: Call) -> Response:
        draft = self._draft(call)
        return await self.submit(call, draft, lambda job: JSONResponse(self.prediction(job), self.created_status))

    def _draft(self, call: Call) -> Draft | Response:
        model = f"{call.params['owner']}/{call.params['model']}"
        if "no-such" in model:
            return self.error(404)
        flaws = self.inspect(call, _Create, call.body)
        inputs = call.fields.get("input")
        if flaws or not isinstance(inputs, dict):
            return self.refuse_input(flaws)
        missing = [flaw for flaw in self.inspect(call, _Input, inputs, "input") if flaw.field == "input.prompt"]
        if missing:
            return self.refuse_input(missing)
        usual = kind_of(model)
        ratio, duration = inputs.get("aspect_ratio"), inputs.get("duration")
        shape = Shape(
            usual.kind,
            usual.format,
            usual.count,
            ratio if isinstance(ratio, str) else usual.aspect_ratio,
            duration if isinstance(duration, int) and duration > 0 else usual.duration_seconds,
        )
        return Draft(model, str(inputs["prompt"]), shape, inputs)

    def told(self, job: Job) -> bytes:
        """Replicate's page: the prediction as a look shows it."""
        return json.dumps(self.prediction(job)).encode()

    async def get(self, call: Call) -> Response:
        job = self.job(call.params["id"])
        return self.error(404) if job is None else await self.look(job, lambda job: JSONResponse(self.prediction(job)))

    async def list(self, call: Call) -> Response:
        listed = (job for job in self.world.jobs_of(self.name) if not self._unlisted(job))
        jobs = [job for job in listed if call.query("status") in ("", self.status_word(job))]
        limit, offset = call.query("limit", "20"), call.query("offset", "0")
        if not (limit.isdigit() and offset.isdigit() and 1 <= int(limit) <= 100):
            self.world.violation("refused-field", self.name, f"limit {limit}, offset {offset}", call.entry.number)
            return self.error(400, "limit is 1 to 100, offset at least 0")
        newest_first = sorted(jobs, key=lambda job: -job.number)
        page = newest_first[int(offset) : int(offset) + int(limit)]
        after = int(offset) + len(page)
        base = f"{self.world.origins.gateways}/{self.name}/v1/predictions?limit={limit}"
        content: dict[str, JsonValue] = {
            "results": [self.prediction(job) for job in page],
            "next": f"{base}&offset={after}" if after < len(jobs) else None,
            "previous": f"{base}&offset={max(0, int(offset) - int(limit))}" if int(offset) else None,
            "total_count": len(jobs),
        }
        return self.later("read", JSONResponse(content))

    def _unlisted(self, job: Job) -> bool:
        """Whether this job is not in the list yet; counts the question."""
        unlisted = job.word("unlisted")
        job.listings += 1
        return unlisted is not None and job.listings <= unlisted.count(0, 1)

    async def cancel(self, call: Call) -> Response:
        job = self.job(call.params["id"])
        if job is None:
            return self.error(404)
        fault = self.fault("cancel", job)
        if fault is None:
            return self._cancelled(job)
        reached = FAULTS[fault.name.removeprefix("cancel-")].accepted
        return self.spoilt(fault, "cancel", self._cancelled(job) if reached else Response())

    def _cancelled(self, job: Job) -> Response:
        if job.phase in FINAL:
            after_end = self.switched("cancel-after-end", job)
            status = after_end.count(0, 400) if after_end else 400
            return JSONResponse(self.prediction(job)) if status == 200 else self.error(status, "Already finished")
        if job.word("cancel-ignored"):
            return JSONResponse(self.prediction(job))
        before: Phase = job.phase
        job.finish("cancelled")
        answer = JSONResponse(self.prediction(job))
        if job.word("cancel-then-success"):
            job.phase, job.finished_at = before, None
        return answer

    def prediction(self, job: Job) -> dict[str, JsonValue]:
        """The object that all of RouteAny's pages show."""
        removed = job.phase == "succeeded" and job.word("data-removed") is not None
        total = (job.finished_at or job.created_at) - job.created_at
        return {
            "id": job.job_id,
            "model": job.draft.model,
            "capability": self._capability(job),
            "input": {} if removed else job.draft.echo,
            "logs": "",
            "output": None if removed else self._output(job),
            "data_removed": removed,
            "error": self.error_of(job),
            "source": "api",
            "status": self.status_word(job),
            "metrics": {"predict_time": total, "total_time": total},
            "created_at": iso(job.created_at),
            "started_at": iso(job.started_at),
            "completed_at": iso(job.finished_at),
            "urls": {name: self.elsewhere(f"{job.job_id}/{name}") for name in ("cancel", "get", "web")},
        }

    def _capability(self, job: Job) -> str:
        inputs = cast(dict[str, JsonValue], job.draft.echo)
        if job.draft.shape.kind != "video":
            return f"text-to-{job.draft.shape.kind}"
        return "reference-to-video" if "reference_images" in inputs else (
            "image-to-video" if "image" in inputs else "text-to-video"
        )  # fmt: skip

    def _output(self, job: Job) -> JsonValue:
        urls = self.urls(job)
        form = self.switched("output-form", job)
        name = form.argument(0, "string") if form else ("string" if len(urls) == 1 else "list")
        forms: dict[str, JsonValue] = {
            "string": urls[0] if urls else None,
            "list": list(urls) or None,
            "object": {"url": urls[0]} if urls else None,
            "nested": {"files": [{"kind": "main", "href": url} for url in urls]} if urls else None,
        }
        return forms.get(name)

    def error_of(self, job: Job) -> JsonValue:
        if job.phase != "failed" or job.trouble is None:
            return None
        if self.switched("error-string", job):
            return job.trouble.message
        return {"code": job.trouble.code, "message": job.trouble.message}
