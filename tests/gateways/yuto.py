"""The unified `/v2/{scope}/generations` format: status in capitals, progress as text, times in seconds."""

import json
import re
import secrets
import time
import uuid
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, JsonValue
from starlette.responses import JSONResponse, Response

from .behaviours import Behaviour, Word
from .calls import Call, Identity, Refusal, Route
from .checks import Documented, Flaw
from .gateway import Gateway
from .jobs import Draft, Job, Shape, Trouble
from .openai_forms import image_answer, image_shape
from .views import Kind

_PAGE: Final = "the page of the unified format"
_NEW_API: Final = "new-api, on which this family of gateways is built"
_NEW_API_IMAGES: Final = "the page of a new-api with asynchronous images"
_CLIENTS: Final = "clients of this family"
SCOPES: Final[dict[str, Kind]] = {"videos": "video", "images": "image", "audio": "audio"}

_IMAGE_QUERY: Final = ("async", "webhook")

_Url = Annotated[str, Field(pattern=r"^https?://")]


class _Create(Documented):
    """The page's fields, then those that its family's clients send."""

    prompt: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    duration: float | str = 5
    aspect_ratio: str = "16:9"
    size: str = ""
    resolution: str = ""
    images: list[str] = Field(default_factory=list[str])
    videos: list[_Url] = Field(default_factory=list[_Url])
    watermark: bool = False

    enhance_prompt: bool = False
    enable_upsample: bool = False
    seed: Annotated[int, Field(gt=0)] = 1
    hd: bool = False
    private: bool = False
    notify_hook: _Url = ""
    character_url: _Url = ""
    character_timestamps: str = ""


class _CreateImage(Documented):
    """The fields that clients of the asynchronous image endpoints send."""

    prompt: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    n: int | str = 1
    size: str = ""
    aspect_ratio: str = ""
    image_size: str = ""
    quality: str = ""
    response_format: Literal["url", "b64_json"] = "url"
    seed: int | str = 1


class _EditImage(_CreateImage):
    image: str | list[str]
    mask: str = ""


def _error(status: int, message: str, code: str = "") -> Response:
    request_id = time.strftime("%Y%m%d%H%M%S") + secrets.token_hex(6)
    text = f"{message} (request id: {request_id})"
    return JSONResponse({"error": {"message": text, "type": "new_api_error", "code": code}}, status)


def _plain(status: int, **content: str) -> Response:
    return JSONResponse(content, status)


_MESSAGES: Final = {
    401: "Invalid token",
    403: "This token has no access",
    404: "Invalid URL",
    429: "Too many requests",
    503: "No available channel for this model",
}

_REFUSALS: Final = {
    "no-quota-403": Refusal(
        "403 with code insufficient_user_quota",
        "a one-api vendor's page",
        lambda: _error(403, "user quota is not enough", "insufficient_user_quota"),
    ),
    "no-credits-402": Refusal("402", _NEW_API, lambda: _error(402, "insufficient balance")),
    "no-credits-chinese": Refusal("403 in Chinese", _NEW_API, lambda: _error(403, "用户额度不足")),
    "no-channel": Refusal(
        "503, no channel for the model",
        _NEW_API,
        lambda: _error(503, "No available channel for model veo9 under group default", "model_not_found"),
    ),
    "no-channel-chinese": Refusal("503 in Chinese", _NEW_API, lambda: _error(503, "当前分组下对于模型无可用渠道")),
    "upstream-busy": Refusal("429 in Chinese, upstream load", _NEW_API, lambda: _error(429, "当前分组上游负载已饱和")),
    "bad-key-chinese": Refusal("401 in Chinese", _NEW_API, lambda: _error(401, "无效的令牌")),
    "safety-400": Refusal("400, a sensitive prompt", _NEW_API, lambda: _error(400, "sensitive words detected")),
    "message-only": Refusal("400 with only a message", _CLIENTS, lambda: _plain(400, message="duration is not valid")),
    "error-text": Refusal("500 with the error as text", _CLIENTS, lambda: _plain(500, error="upstream error")),
    "fail-reason-only": Refusal("400 with only a fail_reason", _CLIENTS, lambda: _plain(400, fail_reason="bad prompt")),
    "in-body-error": Refusal(
        "200 without a task_id, with an error", _CLIENTS, lambda: _plain(200, code="error", message="quota exhausted")
    ),
}


class Yuto(Gateway):
    identity = Identity("yuto", "YUTO", "YUTO_API_KEY")
    refusals = _REFUSALS
    status_words: ClassVar = {
        "queued": "NOT_START",
        "running": "IN_PROGRESS",
        "succeeded": "SUCCESS",
        "failed": "FAILURE",
        "cancelled": "FAILURE",
        "expired": "FAILURE",
    }
    id_path = ("task_id",)
    troubles: ClassVar = {
        "content_violation": Trouble("", "The prompt was rejected: it violates our safety policy"),
        "invalid_media": Trouble("", "failed to download image"),
        "invalid_input": Trouble("", "invalid parameter: duration"),
        "timeout": Trouble("", "task timeout"),
        "insufficient_credits": Trouble("", "quota exhausted"),
        "provider_error": Trouble("", "upstream error"),
    }
    own_behaviours = (
        Behaviour("wrapped", "switch", 'the task inside {code: "success", message: "", data: …}', _NEW_API),
        Behaviour("uuid-id", "job", "the task id is a UUID, without a colon", _PAGE),
        Behaviour("fail-reason-url", "job", "success whose address stands in fail_reason, data has none", _NEW_API),
        Behaviour("fail-reason-junk", "job", "success with a sentence in fail_reason beside its output", _NEW_API),
        Behaviour(
            "output-fields", "job", "where the address stands: output, outputs, both, with-empty", _PAGE, ("FORM",)
        ),
        Behaviour("start-time-zero", "job", "start_time is 0", "GPT-Best's example"),
        Behaviour(
            "progress-form", "job", "progress is: percent, plain, number, empty, null, wild", _CLIENTS, ("FORM",)
        ),
        Behaviour("fail-chinese", "job", "fails with a Chinese fail_reason about a violation", _CLIENTS),
        Behaviour("null-data", "job", "data is null until the end", _NEW_API),
        Behaviour("id-as-data", "switch", "an image create answers with the id as `data`", _NEW_API_IMAGES),
        Behaviour("image-bytes", "switch", "asynchronous images come as b64_json", _NEW_API_IMAGES),
    )

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/v1/images/generations", self.create_image, "json", _IMAGE_QUERY),
            Route("POST", "/v1/images/edits", self.create_image, "form", _IMAGE_QUERY),
            Route("GET", "/v1/images/tasks/{task_id}", self.image_status),
            *self._unified_routes(),
        )

    def _unified_routes(self) -> tuple[Route, ...]:
        return tuple(
            route
            for scope in SCOPES
            for route in (
                Route("POST", f"/v2/(?P<scope>{scope})/generations", self.create, "json"),
                Route("GET", f"/v2/(?P<scope>{scope})/generations/{{task_id}}", self.status),
            )
        )

    def error(self, status: int, message: str = "", code: str = "") -> Response:
        return _error(status, message or _MESSAGES.get(status, "error"), code)

    def new_id(self, draft: Draft, words: tuple[Word, ...]) -> str:
        if any(word.name == "uuid-id" for word in words):
            return str(uuid.uuid4())
        tail = "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789abcdef") for _ in range(10))
        return f"{draft.model.partition('-')[0]}:{int(time.time())}-{tail}"

    async def create(self, call: Call) -> Response:
        return await self.submit(call, self._draft(call), lambda job: JSONResponse({"task_id": job.job_id}))

    def _draft(self, call: Call) -> Draft | Response:
        model = call.text("model")
        if "no-such" in model:
            return self.error(503, f"No available channel for model {model} under group default", "model_not_found")
        flaws = self.inspect(call, _Create, call.body)
        ratio = call.fields.get("aspect_ratio", "16:9")
        if model.startswith("veo") and ratio not in ("16:9", "9:16"):
            flaws.append(Flaw("aspect_ratio", "veo takes 16:9 or 9:16", missing=False))
            self.violate(call, "refused-field", f"aspect_ratio {ratio}")
        if flaws:
            return self.error(400, f"{flaws[0].field}: {flaws[0].message}")
        kind = SCOPES[call.params["scope"]]
        file_format = {"video": "mp4", "image": "png", "audio": "mp3"}[kind]
        duration = call.fields.get("duration", 5)
        seconds = float(str(duration)) if re.fullmatch(r"\d+(\.\d+)?", str(duration)) else 5
        shape = Shape(kind, file_format, 1, call.text("aspect_ratio") or "16:9", seconds)
        return Draft(model, call.text("prompt"), shape)

    def told(self, job: Job) -> bytes:
        """Of images as a look shows it; of all else no page shows it."""
        return bytes((self.image_view if job.path.startswith("/v1/images/") else self.view)(job).body)

    async def create_image(self, call: Call) -> Response:
        """Images by OpenAI's endpoints with `async=true` (clients of the family; a new-api's page)."""
        edits = call.entry.path.endswith("/edits")
        flaws = self.inspect(call, _EditImage if edits else _CreateImage, call.body)
        if call.query("async") != "true":
            self.violate(call, "refused-field", "async: only true is simulated")
            return self.error(400, "only asynchronous images here")
        if flaws:
            return self.error(400, f"{flaws[0].field}: {flaws[0].message}")
        draft = Draft(call.text("model"), call.text("prompt"), image_shape(call.fields))
        return await self.submit(call, draft, self._image_accepted)

    def _image_accepted(self, job: Job) -> Response:
        if self.switched("id-as-data", job):
            return JSONResponse({"code": "success", "message": "", "data": job.job_id})
        return JSONResponse({"task_id": job.job_id})

    async def image_status(self, call: Call) -> Response:
        job = self.job(call.params["task_id"])
        if job is None or not job.path.startswith("/v1/images/"):
            return JSONResponse({"code": "task_not_exist", "message": "task_not_exist", "data": None}, 400)
        return await self.look(job, self.image_view)

    def image_view(self, job: Job) -> Response:
        """The task, with what OpenAI's endpoint would have answered as its `data`."""
        urls, as_url = self.urls(job), self.switched("image-bytes", job) is None
        answer: object = json.loads(bytes(image_answer(job, urls, as_url=as_url).body)) if urls else None
        task = {
            "task_id": job.job_id,
            "platform": "sync-task",
            "action": "image-sync",
            "status": self.status_word(job),
            "fail_reason": self._fail_reason(job, []),
            "progress": self._progress(job),
            "data": answer,
        }
        return JSONResponse({"code": "success", "message": "", "data": task})

    async def status(self, call: Call) -> Response:
        job = self.job(call.params["task_id"])
        if job is None or SCOPES[call.params["scope"]] != job.draft.shape.kind:
            return JSONResponse({"code": "task_not_exist", "message": "task_not_exist", "data": None}, 400)
        return await self.look(job, self.view)

    def prepare(self, job: Job) -> None:
        super().prepare(job)
        if job.word("fail-chinese"):
            job.ending, job.trouble = "failed", Trouble("", "内容违规, 审核不通过")

    def view(self, job: Job) -> Response:
        urls = self.urls(job)
        kind = f"google-{next(scope for scope, kind in SCOPES.items() if kind == job.draft.shape.kind)}"
        task: dict[str, JsonValue] = {
            "task_id": job.job_id,
            "platform": "google",
            "action": kind,
            "status": self.status_word(job),
            "fail_reason": self._fail_reason(job, urls),
            "submit_time": int(job.created_at),
            "start_time": 0 if job.word("start-time-zero") else int(job.started_at or 0),
            "finish_time": int(job.finished_at or 0),
            "progress": self._progress(job),
            "data": self._data(job, urls),
            "search_item": "",
        }
        if self.switched("wrapped", job):
            return JSONResponse({"code": "success", "message": "", "data": task})
        return JSONResponse(task)

    def _fail_reason(self, job: Job, urls: list[str]) -> str:
        if job.phase == "succeeded":
            if job.word("fail-reason-url") and urls:
                return urls[0]
            return "retried after an upstream error" if job.word("fail-reason-junk") else ""
        if job.phase == "cancelled":
            return "task cancelled"
        return job.trouble.message if job.trouble and job.phase == "failed" else ""

    def _progress(self, job: Job) -> JsonValue:
        form = self.switched("progress-form", job)
        forms: dict[str, JsonValue] = {
            "percent": f"{job.percent}%",
            "plain": str(job.percent),
            "number": job.percent,
            "empty": "",
            "null": None,
            "wild": "4000%",
        }
        return forms.get(form.argument(0, "percent") if form else "percent")

    def _data(self, job: Job, urls: list[str]) -> JsonValue:
        if job.phase in ("queued", "running") and job.word("null-data"):
            return None
        if not urls or job.word("fail-reason-url"):
            return {}
        form = self.switched("output-fields", job)
        usual = "output" if len(urls) == 1 else "both"
        forms: dict[str, JsonValue] = {
            "output": {"output": urls[0]},
            "outputs": {"outputs": list(urls)},
            "both": {"output": urls[0], "outputs": list(urls)},
            "with-empty": {"output": "", "outputs": ["", *urls, ""]},
        }
        return forms[form.argument(0, usual) if form else usual]
