"""Gateways that repeat what a submission handed over for hooks: it is shown and kept nowhere."""

import hashlib
import json
from collections.abc import Callable

import httpx
import pytest
from pydantic import JsonValue

from rushes.domain.errors import SubmissionLost, SubmissionRefused
from rushes.domain.hooks import TOKEN_STAND_IN, asking_to_call
from rushes.domain.job import Job
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.fact_files import load_facts
from rushes.providers.registry import format_class
from rushes.tasks.hook_tokens import keys_of

from ..providers.replies import facts_of, settings
from ..providers.requests import request
from .test_door import KEY, TASK_ID

pytestmark = pytest.mark.anyio

PUBLIC = "https://rushes.example/base"
SECRET = "a-secret-of-the-persons-own"
KEYS = keys_of(KEY, TASK_ID, "gate")
Echo = Callable[[httpx.Request], httpx.Response]


def provider(wire: str, answer: Echo) -> HttpProvider:
    configured = settings(wire).model_copy(update={"public_url": PUBLIC})
    made = format_class(wire)(configured)
    return HttpProvider(configured, made, load_facts(wire), transport=httpx.MockTransport(answer))


def as_text(asked: httpx.Request) -> str:
    return asked.content.decode() + str(asked.url)


def _secret_in(asked: httpx.Request) -> str:
    body: dict[str, str] = json.loads(asked.content)
    return body["callback_secret"]


ECHOES: dict[str, Echo] = {
    "a message with the body": lambda asked: httpx.Response(
        400, json={"error": {"message": f"bad: {as_text(asked)}", "type": "invalid_request_error"}}
    ),
    "a message with the body escaped": lambda asked: httpx.Response(
        400, json={"error": {"message": json.dumps(as_text(asked)), "type": "invalid_request_error"}}
    ),
    "a page of a proxy": lambda asked: httpx.Response(400, text=f"bad request: {as_text(asked)}"),
    "an error of its server": lambda asked: httpx.Response(500, text=as_text(asked)),
    "an object that is no job": lambda asked: httpx.Response(200, json={"echo": json.loads(asked.content)}),
    "a header": lambda asked: httpx.Response(
        400, json={"error": {"message": "no", "type": "x"}}, headers={"x-request-id": _secret_in(asked)}
    ),
}


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("own", [False, True], ids=["our callback", "the person's own"])
async def test_a_gateway_that_repeats_a_submission_has_no_token_and_no_secret_of_it_shown(echo: str, own: bool) -> None:
    made = provider("llmgateway", ECHOES[echo])
    options: dict[str, JsonValue] = {"callback_url": "https://me.example/x", "callback_secret": SECRET}
    plan = made.plan(request(provider_options=options if own else {}), facts_of("llmgateway", "veo-3.1"))
    with pytest.raises((SubmissionRefused, SubmissionLost)) as caught:
        await made.submit(asking_to_call(plan, KEYS))
    said = (
        f"{caught.value!r} {caught.value.message} {caught.value.hint} {caught.value.ids} {caught.value.provider_code}"
    )
    assert not [text for text in (SECRET, KEYS.token, KEYS.token[26:], KEYS.secret) if text in said]
    await made.aclose()


async def test_a_gateway_that_repeats_the_address_of_a_hook_has_it_kept_without_its_token() -> None:
    address = f"{PUBLIC}/hooks/routeany/{KEYS.token}"
    digest = hashlib.sha256(KEYS.token.encode()).hexdigest()
    outputs = f"https://cdn.example/{KEYS.token}/{digest}.mp4"

    def answer(asked: httpx.Request) -> httpx.Response:
        shown = {"webhook": address, "logs": f"will call {address.replace('/', '%2F')}", "output": outputs}
        return httpx.Response(200, json={"id": "pred_1", "status": "succeeded", **shown})

    made = provider("routeany", answer)
    seen = await made.poll(Job(job_id="pred_1", model="google/veo-3.1"))
    assert seen.answer is not None
    assert f"/hooks/routeany/{TOKEN_STAND_IN}" in seen.answer
    assert seen.answer.count(KEYS.token) == 1
    assert seen.told.logs is not None
    assert KEYS.token not in seen.told.logs
    # An address of a result stays whole, whatever it looks like.
    assert [output.url for output in seen.outputs] == [outputs]
    await made.aclose()
