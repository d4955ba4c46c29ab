"""Images of the unified format's relatives that have OpenAI's image endpoints made asynchronous, with `async=true`.

The task that a look shows is that of the unified format, and its `data` is what OpenAI's endpoint would have answered.
What is known of this form comes from clients of the family, and from the page of a gateway built as they are.
"""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from ...domain.job import Plan, RemoteOutput
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest
from ..client.reply import Reply
from .compose import Composer, upper
from .openai_media import listed_images
from .readings import parse_object

APART = {"scope": "images", "async": True}
"""Details of such a job."""

INPUTS = ("aspect_ratio", "size", "resolution", "count", "seed")
"""What clients send beside prompt and model, in their own fields."""


def is_apart(details: Mapping[str, JsonValue]) -> bool:
    """Whether these are the details of such a plan or job."""
    return details.get("async") is True


def adapted(facts: ModelFacts) -> ModelFacts:
    """A model of images as it is here: its images are parts of a form, so there have to be bytes of them."""
    if facts.kind != "image":
        return facts
    taken = facts.inputs or ()
    inputs = tuple(dict.fromkeys((*(name for name in taken if name != "watermark"), *INPUTS)))
    return facts.model_copy(update={"inputs": inputs, "image_forms": ("data",)})


def plan(request: GenerationRequest, facts: ModelFacts, provider: str) -> Plan:
    """`/v1/images/generations` in JSON, or `/v1/images/edits` as a form where there are input images."""
    compose = Composer(request, facts, provider)
    compose.put("prompt", request.prompt, "prompt")
    compose.put("model", facts.id, "model")
    compose.send("aspect_ratio", "aspect_ratio")
    compose.send("size", "size")
    compose.send("resolution", "image_size", upper)
    compose.send("count", "n")
    compose.send("seed", "seed")
    compose.send_media("image", "input_image")
    body, warnings = compose.finish(outside=("webhook",))
    query = {"async": "true"}
    if "webhook" in request.provider_options:
        query["webhook"] = str(request.provider_options["webhook"])
    edits = bool(request.media_of("input_image"))
    return Plan(
        provider=provider,
        model=facts.id,
        path="/v1/images/edits" if edits else "/v1/images/generations",
        query=query,
        body=body,
        encoding="multipart" if edits else "json",
        details=dict(APART),
        warnings=tuple(warnings),
        instead=compose.instead,
        callback_in="query",
    )


def outputs(data: JsonValue, reply: Reply) -> Sequence[RemoteOutput]:
    """The images in a finished task's `data`, as OpenAI's endpoint lists them; none where it has another form."""
    rows = (parse_object(data) or {}).get("data")
    return listed_images(rows, reply) if isinstance(rows, list) else ()
