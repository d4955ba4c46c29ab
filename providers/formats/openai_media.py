"""Image and speech endpoints in OpenAI's form, which answer the POST with the media themselves."""

import base64
import binascii
from collections.abc import Sequence

from pydantic import JsonValue

from ...domain.errors import Charged, RequestRefused
from ...domain.failure import clean_text
from ...domain.job import (
    ANSWERED_AT_ONCE,
    LOGS_CHARACTERS_MAX,
    Cost,
    Job,
    Observation,
    Plan,
    RemoteOutput,
    Submission,
    Told,
)
from ...domain.model_facts import ModelFacts
from ...domain.money import amount_of
from ...domain.request import GenerationRequest
from ..client.reply import Reply
from ..format import Fault, Unintelligible
from .compose import Composer, upper
from .observe import observed
from .readings import (
    OUTPUTS_MAX,
    Moment,
    Object,
    WireModel,
    parse_metrics,
    parse_object,
    read,
    remote_outputs,
    urls_in,
)
from .reasons import first_text


class ImagesReply(WireModel):
    data: JsonValue = None
    usage: Object = None
    created: Moment = None


def image_plan(request: GenerationRequest, facts: ModelFacts, provider: str) -> Plan:
    """`/v1/images/generations`, or `/v1/images/edits` in JSON where there are input images."""
    compose = Composer(request, facts, provider)
    compose.put("model", facts.id, "model")
    compose.put("prompt", request.prompt, "prompt")
    edits = bool(request.media_of("input_image"))
    if edits:
        links = compose.media("input_image")
        compose.put("images", [{"image_url": link} for link in links], "images")
        compose.send("aspect_ratio", "aspect_ratio")
    elif compose.is_asked("aspect_ratio"):
        message = f"{provider} takes aspect_ratio only with input images (images)"
        raise RequestRefused("unsupported", message, hint="Leave aspect_ratio out; size may say the shape.")
    compose.send("output_format", "output_format")
    compose.send("count", "n")
    compose.send("quality", "quality")
    _send_image_size(compose)
    body, warnings = compose.finish()
    return Plan(
        provider=provider,
        model=facts.id,
        path="/v1/images/edits" if edits else "/v1/images/generations",
        body=body,
        asynchronous=False,
        warnings=tuple(warnings),
        instead=compose.instead,
    )


def _send_image_size(compose: Composer) -> None:
    if compose.is_asked("size") and compose.is_asked("resolution"):
        raise RequestRefused("invalid_input", "size and resolution are one field there: give one of the two")
    compose.send("size", "size")
    compose.send("resolution", "size", upper)


def speech_plan(request: GenerationRequest, facts: ModelFacts, provider: str) -> Plan:
    """`/v1/audio/speech`."""
    compose = Composer(request, facts, provider)
    compose.put("model", facts.id, "model")
    compose.put("input", request.prompt, "prompt")
    compose.send("voice", "voice")
    compose.send("output_format", "response_format")
    compose.send("speed", "speed")
    compose.send("instructions", "instructions")
    body, warnings = compose.finish()
    return Plan(
        provider=provider,
        model=facts.id,
        path="/v1/audio/speech",
        body=body,
        headers={"Accept": "audio/*, application/json;q=0.5"},
        asynchronous=False,
        warnings=tuple(warnings),
        instead=compose.instead,
    )


def images_submission(plan: Plan, reply: Reply, provider: str) -> Submission:
    """The images in the answer. An empty list is how this format says that a filter took them.

    Raises:
        Unintelligible: the answer holds no list, or a list without images.
    """
    answer = read(ImagesReply, reply.body)
    if not isinstance(answer.data, list):
        raise Unintelligible("the answer holds no list of images")
    cost = cost_of(answer.usage)
    if not answer.data:
        fault = Fault("content_violation", "The content filter took the image: the answer holds none.", ours=True)
        charged: Charged = "unknown" if cost is None else "yes" if cost.amount > 0 else "no"
        return _at_once(plan, reply, observed("failed", gateway=provider, fault=fault, charged=charged, cost=cost))
    outputs = listed_images(answer.data, reply)
    if not outputs:
        raise Unintelligible("the answer lists images, but holds none")
    told = Told(
        finished_at=answer.created, revised_prompt=_revised_prompt(answer.data), metrics=cost_details(answer.usage)
    )
    return _at_once(plan, reply, observed("succeeded", gateway=provider, outputs=outputs, cost=cost, told=told))


def _revised_prompt(rows: Sequence[JsonValue]) -> str | None:
    """The prompts that the images were really made from, each once."""
    texts = (first_text((parse_object(row) or {}).get("revised_prompt")) for row in rows)
    return "\n".join(dict.fromkeys(clean_text(text, LOGS_CHARACTERS_MAX) for text in texts if text)) or None


def listed_images(rows: Sequence[JsonValue], reply: Reply) -> list[RemoteOutput]:
    """The images of such a list, each as bytes or by its address."""
    outputs: list[RemoteOutput] = []
    for row in rows[:OUTPUTS_MAX]:
        encoded = row.get("b64_json") if isinstance(row, dict) else None
        held = reply.held.get(encoded) if isinstance(encoded, str) else None
        data = _decoded(encoded) if isinstance(encoded, str) and held is None else None
        if held is not None:
            outputs.append(held)
        elif data:
            outputs.append(RemoteOutput(content=data))
        elif isinstance(row, dict):
            outputs += remote_outputs(urls_in(row.get("url")), reply.received_at)
        else:
            outputs += remote_outputs(urls_in(row), reply.received_at)
    return outputs


def _decoded(encoded: str) -> bytes | None:
    text = "".join((encoded.partition("base64,")[2] or encoded).split())
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def speech_submission(plan: Plan, reply: Reply, provider: str) -> Submission:
    """The sound in the answer: the whole body, or, as some servers of this kind have it, in JSON as a URL or base64.

    Raises:
        Unintelligible: the answer is not a sound.
    """
    if reply.medium is not None:
        return _at_once(plan, reply, observed("succeeded", gateway=provider, outputs=[reply.medium]))
    told = () if isinstance(reply.body, bytes) else remote_outputs(urls_in(reply.body), reply.received_at)
    if told:
        return _at_once(plan, reply, observed("succeeded", gateway=provider, outputs=told))
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not isinstance(reply.body, bytes) or not reply.body or media_type.startswith(("text/", "application/json")):
        raise Unintelligible("the answer is not a sound")
    mime_type = media_type if media_type.startswith("audio/") else None
    output = RemoteOutput(content=reply.body, mime_type=mime_type)
    return _at_once(plan, reply, observed("succeeded", gateway=provider, outputs=[output], cost=_cost_beside(reply)))


_COST_HEADERS = ("x-litellm-response-cost", "x-response-cost", "x-usage-cost", "x-cost")
"""Where a cost may stand whose answer is the sound itself. LiteLLM documents the first; the others are assumed."""


def _cost_beside(reply: Reply) -> Cost | None:
    amounts = (amount_of(reply.headers.get(name)) for name in _COST_HEADERS)
    amount = next((each for each in amounts if each is not None), None)
    return None if amount is None else Cost(amount=amount)


def cost_of(usage: dict[str, JsonValue] | None) -> Cost | None:
    """`usage.cost`, in US dollars."""
    amount = amount_of(usage.get("cost")) if usage else None
    return None if amount is None else Cost(amount=amount)


def cost_details(usage: dict[str, JsonValue] | None) -> dict[str, float]:
    """What a cost is made of, by the gateway's own names."""
    return parse_metrics(usage.get("cost_details") if usage else None)


def _at_once(plan: Plan, reply: Reply, observation: Observation) -> Submission:
    job_id = reply.headers.get("x-request-id", "")[:100] or ANSWERED_AT_ONCE
    return Submission(job=Job(job_id=job_id, model=plan.model), observation=observation)
