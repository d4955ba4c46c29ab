"""Images and speech as OpenAI-style servers answer them: at once, as base64 or bytes."""

from typing import ClassVar

from pydantic import BaseModel
from starlette.responses import Response

from .behaviours import Behaviour, Word
from .calls import Call
from .gateway import Gateway
from .jobs import Draft, Job, Shape
from .openai_forms import envelope, image_answer, image_shape, speech

SPEECH_FORMATS = ("mp3", "wav", "opus", "aac", "flac", "pcm")


class SynchronousMedia(Gateway):
    """A gateway whose image and speech endpoints answer with the media themselves."""

    image_model: ClassVar[type[BaseModel]]
    edit_model: ClassVar[type[BaseModel]]
    speech_model: ClassVar[type[BaseModel]]
    image_default: ClassVar[str]
    own_behaviours: ClassVar[tuple[Behaviour, ...]] = (
        Behaviour(
            "filtered", "job", "an image request that was filtered: 200 with data []", "LLMGateway's page on errors"
        ),
        Behaviour("image-url", "switch", "images come as `url`, not as b64_json", "OpenAI's images endpoint"),
        Behaviour("bad-base64", "job", "images whose b64_json is no base64", "fault injection"),
    )

    async def create_image(self, call: Call) -> Response:
        return await self._images(call, self.image_model)

    async def edit_image(self, call: Call) -> Response:
        return await self._images(call, self.edit_model)

    async def _images(self, call: Call, model: type[BaseModel]) -> Response:
        refused = self._flawed(call, model)
        draft = Draft(call.text("model") or self.image_default, call.text("prompt"), image_shape(call.fields))
        return await self.submit(call, refused or draft, self._image_answer)

    def _image_answer(self, job: Job) -> Response:
        filtered = job.word("filtered") is not None or job.ending == "failed"
        job.finish("failed" if filtered else "succeeded")
        return image_answer(job, [] if filtered else self.urls(job), as_url=self.switched("image-url", job) is not None)

    async def create_speech(self, call: Call) -> Response:
        refused = self._flawed(call, self.speech_model)
        if refused is not None:
            return refused
        model = call.text("model")
        formats = self.speech_formats(model)
        wanted = call.text("response_format") or formats[0]
        if wanted not in formats:
            self.violate(call, "refused-field", f"response_format: {wanted} for {model}")
            return envelope(400, f"response_format {wanted} is not supported for {model}", param="response_format")
        draft = Draft(model, call.text("input"), Shape("audio", wanted, duration_seconds=2))
        return await self.submit(call, draft, self._speech_answer)

    def speech_formats(self, model: str) -> tuple[str, ...]:
        """What this model can answer with; the first is its default."""
        return SPEECH_FORMATS

    def _speech_answer(self, job: Job) -> Response:
        job.finish("succeeded")
        return speech(job)

    def _flawed(self, call: Call, model: type[BaseModel]) -> Response | None:
        flaws = self.inspect(call, model, call.body)
        if not flaws:
            return None
        return envelope(400, f"{flaws[0].field}: {flaws[0].message}", param=flaws[0].field)

    def refuse(self, draft: Draft, words: tuple[Word, ...]) -> Response | None:
        """A failure of a synchronous request is a refusal; only a filtered image request is answered with 200."""
        fail = next((word for word in words if word.name == "fail"), None)
        kind = draft.shape.kind
        if fail is None or kind == "video" or (kind == "image" and fail.argument(0, "") == "content_violation"):
            return super().refuse(draft, words)
        trouble = self.trouble(fail)
        status = 403 if fail.argument(0, "") == "content_violation" else 502
        return envelope(status, trouble.message, code=trouble.code)
