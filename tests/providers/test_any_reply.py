"""Whatever a gateway answers, nothing but our own errors comes out, and no half-read success."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from rushes.domain.errors import GatewayUnavailable, SubmissionLost, SubmissionRefused
from rushes.domain.job import Observation
from rushes.domain.request import Kind
from rushes.providers.format import Unintelligible
from rushes.providers.registry import FORMATS

from .replies import NOW, always, job, make_format, plan_of, provider, reply
from .requests import request
from .test_readings import JSON

WORDS = [
    "id",
    "task_id",
    "taskId",
    "data",
    "status",
    "state",
    "task_status",
    "output",
    "outputs",
    "error",
    "code",
    "message",
    "resultJson",
    "failCode",
    "content",
    "url",
    "usage",
    "cost",
    "results",
    "created_at",
    "input",
    "detail",
    "fail_reason",
    "progress",
    "b64_json",
    "type",
    "image",
    "success",
    "completed",
    "failed",
]

LIKELY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from([*WORDS, "https://a/b", "0", "200"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=20,
)
MODELS: dict[str, dict[Kind, str]] = {
    wire: {"video": "a/b" if wire == "routeany" else "seedance-2.0" if wire == "llmgateway" else "new"}
    for wire in FORMATS
}


def sound(observation: Observation) -> bool:
    ended_badly = observation.state in {"failed", "cancelled"}
    return bool(observation.outputs) == (observation.state == "succeeded") and ended_badly == bool(observation.failure)


@pytest.mark.parametrize("wire", FORMATS)
@given(body=LIKELY | JSON | st.binary(max_size=40), status=st.sampled_from([200, 201, 400, 403, 404, 429, 500, 503]))
def test_no_reply_is_too_odd_for_a_wire(wire: str, body: JsonValue | bytes, status: int) -> None:
    made = make_format(wire)
    plan = plan_of(wire, request(duration_seconds=5), MODELS[wire]["video"])
    answer = reply(body, status)
    for submitting in (True, False):
        fault = made.fault(answer, submitting=submitting)
        assert fault is None or fault.message
        assert fault is not None or answer.ok
    with contextlib.suppress(Unintelligible):
        assert sound(made.submission(plan, answer).observation)
    with contextlib.suppress(Unintelligible):
        assert sound(made.observation(job(), answer))
    with contextlib.suppress(Unintelligible, NotImplementedError):
        made.live_models(answer)
    with contextlib.suppress(Unintelligible, NotImplementedError):
        made.found_jobs(plan, answer, NOW, ())
    if made.account_call() is not None:
        assert made.account(answer).ok


@pytest.mark.anyio
@pytest.mark.parametrize("wire", FORMATS)
@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff", b"null", b"[]", b'"text"', b"5", b"{}", b'{"data":{"data":{"data":[]}}}', b"[" * 5000]
)
async def test_junk_is_lost_for_a_submission_and_unavailable_for_a_poll(wire: str, content: bytes) -> None:
    made = provider(wire, always(200, content=content))
    plan = plan_of(wire, request(duration_seconds=5), MODELS[wire]["video"])
    with pytest.raises((SubmissionLost, SubmissionRefused)) as caught:
        await made.submit(plan)
    assert isinstance(caught.value, SubmissionLost)
    with pytest.raises(GatewayUnavailable):
        await made.poll(job())
