"""OpenAI-style `/v1/videos` servers: seconds as a string, JSON or a form, and the variants that servers have."""

import secrets
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, JsonValue
from starlette.responses import JSONResponse, Response

from .behaviours import Behaviour, Word
from .calls import Call, Identity, Refusal, Route
from .checks import Documented
from .delivery import deliver
from .jobs import Draft, Job, Shape, Trouble
from .openai_forms import aspect_ratio, envelope
from .openai_media import SynchronousMedia

_OPENAI: Final = "the types of openai-python"
_VLLM: Final = "vLLM-Omni's page on its videos API"
_LITELLM: Final = "LiteLLM's page on videos"
_NEW_API: Final = "new-api's source"
_RESELLERS: Final = "resellers' pages"
_SGLANG: Final = "SGLang's page on its OpenAI API"


class _CreateVideo(Documented):
    prompt: Annotated[str, Field(min_length=1)]
    model: str = "sora-2"
    seconds: str | int = "4"
    size: str = "720x1280"
    input_reference: str | dict[str, str] = ""
    image_reference: str = ""


class _CreateImage(Documented):
    prompt: Annotated[str, Field(min_length=1)]
    model: str = "gpt-image-1"
    n: int | str = 1
    size: str = "1024x1024"
    quality: str = "auto"
    background: str = "auto"
    moderation: str = "auto"
    output_format: Literal["png", "jpeg", "webp"] = "png"
    output_compression: int = 100
    response_format: Literal["b64_json", "url"] = "b64_json"
    user: str = ""


class _EditImage(_CreateImage):
    image: str | list[str]
    mask: str = ""
    images: list[dict[str, str]] = Field(default_factory=list[dict[str, str]])


class _CreateSpeech(Documented):
    model: Annotated[str, Field(min_length=1)]
    input: Annotated[str, Field(min_length=1, max_length=4096)]
    voice: Annotated[str, Field(min_length=1)]
    instructions: str = ""
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4)] = 1


class OpenAiVideos(SynchronousMedia):
    identity = Identity("openai", "OPENAI_VIDEOS", "OPENAI_VIDEOS_API_KEY")
    refusals: ClassVar = {
        "rate-limit": Refusal("429 rate_limit_exceeded", _OPENAI, lambda: envelope(429, "Rate limit reached")),
        "no-credits": Refusal(
            "429 insufficient_quota",
            _OPENAI,
            lambda: envelope(429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
        ),
        "moderation-blocked": Refusal(
            "400 moderation_blocked",
            _OPENAI,
            lambda: envelope(400, "Your request was blocked by our moderation system", code="moderation_blocked"),
        ),
        "not-implemented": Refusal(
            "501 not_implemented", _NEW_API, lambda: envelope(501, "not implemented", code="not_implemented")
        ),
    }
    status_words: ClassVar = {
        "queued": "queued",
        "running": "in_progress",
        "succeeded": "completed",
        "failed": "failed",
        "cancelled": "cancelled",
        "expired": "failed",
    }
    id_path = ("id",)
    troubles: ClassVar = {
        "content_violation": Trouble("moderation_blocked", "The video was blocked by our moderation system"),
        "timeout": Trouble("timeout", "The job timed out"),
        "provider_error": Trouble("internal_error", "The server had an error"),
    }
    own_behaviours = (
        *SynchronousMedia.own_behaviours,
        Behaviour("form-only", "switch", "a JSON body is refused with 422, only forms are taken", _VLLM),
        Behaviour("json-only", "switch", "a form is refused with 400", "LLMGateway's source"),
        Behaviour("seconds-integer", "switch", "seconds as a string is refused", "LLMGateway's source"),
        Behaviour("minimal", "switch", "a record has only id, status and created_at", _VLLM),
        Behaviour("processing", "switch", "the first status is `processing`", _LITELLM),
        Behaviour("metadata-url", "switch", "the address is in metadata.url; `task_id` beside id", _NEW_API),
        Behaviour("plain-url", "switch", "the address is in `url`", _RESELLERS),
        Behaviour("no-content-endpoint", "switch", "the content endpoint answers 404", _NEW_API),
        Behaviour("content-json", "switch", "the content endpoint answers JSON with an address", _RESELLERS),
        Behaviour("content-relative", "switch", "… and the address is relative", _SGLANG),
        Behaviour("content-redirect", "switch", "the content endpoint redirects to the media origin", _RESELLERS),
        Behaviour("task-not-exist", "switch", "an unknown id is HTTP 400, task_not_exist", _NEW_API),
    )
    image_model = _CreateImage
    edit_model = _EditImage
    speech_model = _CreateSpeech
    image_default = "gpt-image-1"

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/v1/videos", self.create, "json or form"),
            Route("GET", "/v1/videos", self.list, query=("after", "limit", "order")),
            Route("GET", "/v1/videos/{id}", self.get),
            Route("DELETE", "/v1/videos/{id}", self.delete),
            Route("GET", "/v1/videos/{id}/content", self.content, query=("variant",)),
            Route("GET", "/files/{name}", self.file),
            Route("POST", "/v1/images/generations", self.create_image, "json"),
            Route("POST", "/v1/images/edits", self.edit_image, "json or form"),
            Route("POST", "/v1/audio/speech", self.create_speech, "json"),
            Route("GET", "/v1/models", self.models),
        )

    def error(self, status: int, message: str = "", code: str = "") -> Response:
        return envelope(status, message or f"Request failed with status {status}", code=code or None)

    def unauthorised(self) -> Response:
        return envelope(401, "Incorrect API key provided", "invalid_request_error", "invalid_api_key")

    def new_id(self, draft: Draft, words: tuple[Word, ...]) -> str:
        return f"video_{secrets.token_hex(16)}"

    async def create(self, call: Call) -> Response:
        return await self.submit(call, self._draft(call), lambda job: JSONResponse(self.video(job)))

    def _draft(self, call: Call) -> Draft | Response:
        as_form = "multipart/form-data" in call.request.headers.get("content-type", "")
        prompt = call.text("prompt")
        if self.switched("form-only", prompt=prompt) and not as_form:
            return envelope(422, "Field required: form body")
        if self.switched("json-only", prompt=prompt) and as_form:
            return envelope(400, "The request body is not JSON")
        flaws = self.inspect(call, _CreateVideo, call.body)
        seconds, integer = call.fields.get("seconds", "4"), self.switched("seconds-integer", prompt=prompt) is not None
        wrong_type = "seconds" in call.fields and isinstance(seconds, int) != (integer and not as_form)
        if flaws or wrong_type:
            detail = flaws[0].message if flaws else f"seconds must be {'an integer' if integer else 'a string'}"
            self.violate(call, "refused-field", detail)
            return envelope(400, detail, param=flaws[0].field if flaws else "seconds")
        ratio = aspect_ratio(call.text("size") or "720x1280")
        model = call.text("model") or "sora-2"
        return Draft(model, call.text("prompt"), Shape("video", "mp4", 1, ratio, float(str(seconds))), call.fields)

    def _unknown(self) -> Response:
        if self.switched("task-not-exist"):
            return JSONResponse({"code": "task_not_exist", "message": "task_not_exist", "data": None}, 400)
        return envelope(404, "Video not found")

    async def get(self, call: Call) -> Response:
        job = self.job(call.params["id"])
        return self._unknown() if job is None else await self.look(job, lambda job: JSONResponse(self.video(job)))

    async def list(self, call: Call) -> Response:
        jobs = [job for job in self.world.jobs_of(self.name) if job.draft.shape.kind == "video"]
        newest_first = sorted(jobs, key=lambda job: -job.number)[: int(call.query("limit", "20"))]
        videos = [self.video(job) for job in newest_first]
        return self.later("read", JSONResponse({"object": "list", "data": videos, "has_more": False}))

    async def delete(self, call: Call) -> Response:
        job = self.job(call.params["id"])
        if job is None:
            return self._unknown()
        job.finish("cancelled")
        return self.later("cancel", JSONResponse({"id": job.job_id, "object": "video.deleted", "deleted": True}), job)

    def video(self, job: Job) -> dict[str, JsonValue]:
        """The object of the create and of every look."""
        early = self.switched("processing", job) and job.phase == "queued"
        status = "processing" if early else self.status_word(job)
        shown: dict[str, JsonValue] = {"id": job.job_id, "status": status, "created_at": int(job.created_at)}
        urls = self.urls(job)
        if not self.switched("minimal", job):
            shown |= self._details(job)
        if self.switched("metadata-url", job):
            shown |= {"task_id": job.job_id, "metadata": {"url": urls[0]} if urls else {}}
        if self.switched("plain-url", job) and urls:
            shown["url"] = urls[0]
        return shown

    def _details(self, job: Job) -> dict[str, JsonValue]:
        asked = job.draft.echo if isinstance(job.draft.echo, dict) else {}
        failed = job.phase == "failed" and job.trouble is not None
        return {
            "object": "video",
            "model": job.draft.model,
            "progress": job.percent,
            "completed_at": int(job.finished_at) if job.finished_at else None,
            "expires_at": int(job.finished_at) + 3600 if job.finished_at else None,
            "seconds": str(asked.get("seconds", "4")),
            "size": asked.get("size", "720x1280"),
            "prompt": job.draft.prompt,
            "error": {"code": job.trouble.code, "message": job.trouble.message} if failed and job.trouble else None,
            "remixed_from_video_id": None,
        }

    async def content(self, call: Call) -> Response:
        job = self.job(call.params["id"])
        urls = self.urls(job) if job else []
        if job is None or self.switched("no-content-endpoint", job) or (job.phase == "succeeded" and not urls):
            return envelope(404, "Video content not found")
        if not urls:
            return envelope(400, "Video is not ready yet, use GET /v1/videos/{video_id} to check status")
        if self.switched("content-redirect", job):
            return Response(status_code=302, headers={"location": urls[0]})
        if self.switched("content-json", job):
            return JSONResponse({"url": urls[0]})
        if self.switched("content-relative", job):
            return JSONResponse({"url": f"/{self.name}/files/{job.job_id}"})
        return await deliver(self.world, job, 0, call.request, self._download_error)

    async def file(self, call: Call) -> Response:
        """Where `content-relative` points."""
        job = self.job(call.params["name"])
        if job is None:
            return self._unknown()
        return await deliver(self.world, job, 0, call.request, self._download_error)

    def _download_error(self, status: int) -> Response:
        return self.error(status)

    async def models(self, call: Call) -> Response:
        rows: list[JsonValue] = [{"id": name, "object": "model"} for name in ("sora-2", "sora-2-pro", "gpt-image-1")]
        return self.later("read", JSONResponse({"object": "list", "data": rows}))
