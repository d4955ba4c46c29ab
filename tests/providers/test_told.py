"""What gateways tell beside a job's state is kept: times, logs, metrics, ids, their own answer."""

import base64
import json
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import JsonValue

from rushes.domain.job import Job, Told
from rushes.providers.client.answers import ANSWER_BYTES_MAX, kept_answer, support_ids

from .replies import KEY, Gateway, always, job, make_format, plan_of, provider, reply
from .requests import request

pytestmark = pytest.mark.anyio

ENDED = datetime(2024, 5, 20, 10, 8, 44, tzinfo=UTC)


def told(wire: str, body: JsonValue) -> Told:
    return make_format(wire).observation(job(), reply(body)).told


def test_routeany_tells_page_logs_metrics_and_times() -> None:
    shown = told(
        "routeany",
        {
            "id": "pred_1",
            "status": "failed",
            "logs": "step 1\nout of memory",
            "metrics": {"predict_time": 3.5, "total_time": 4},
            "created_at": "2024-05-20T10:08:00Z",
            "completed_at": "2024-05-20T10:08:44Z",
            "urls": {"web": "https://routeany.example/p/pred_1", "get": "https://elsewhere.example/"},
        },
    )
    assert shown.page == "https://routeany.example/p/pred_1"
    assert shown.logs == "step 1\nout of memory"
    assert shown.metrics == {"predict_time": 3.5, "total_time": 4}
    assert (shown.finished_at, shown.submitted_at) == (ENDED, datetime(2024, 5, 20, 10, 8, tzinfo=UTC))


@pytest.mark.parametrize("page", ["javascript:alert(1)", "https://a b", 5, "", "https://x/" + "y" * 9000])
def test_a_page_that_is_no_address_is_none(page: JsonValue) -> None:
    assert told("routeany", {"id": "p", "status": "processing", "urls": {"web": page}}).page is None


def test_a_long_log_is_kept_from_its_end() -> None:
    logs: list[JsonValue] = [*["line\x1b[31m"] * 5000, "the end"]
    shown = told("routeany", {"id": "p", "status": "failed", "logs": logs}).logs or ""
    assert shown.endswith("the end") and len(shown) <= 2000 and "\x1b" not in shown


def test_the_unified_format_tells_when_a_job_was_taken_and_done() -> None:
    body: JsonValue = {"task_id": "t", "status": "SUCCESS", "submit_time": 1716199680, "finish_time": 1716199724}
    shown = told("unified", body)
    assert (shown.submitted_at, shown.finished_at) == (datetime(2024, 5, 20, 10, 8, tzinfo=UTC), ENDED)


def test_apixo_tells_times_and_how_long_it_took() -> None:
    task: JsonValue = {"state": "failed", "createTime": 1716199680000, "completeTime": 1716199724000, "costTime": 44000}
    shown = told("apixo", {"code": 200, "data": task})
    assert (shown.submitted_at, shown.finished_at) == (datetime(2024, 5, 20, 10, 8, tzinfo=UTC), ENDED)
    assert shown.metrics == {"total_time": 44}


@pytest.mark.parametrize("wire", ["llmgateway", "openai-videos"])
def test_videos_tell_when_they_were_completed_and_what_their_cost_is_made_of(wire: str) -> None:
    usage: JsonValue = {"cost": 1.2, "cost_details": {"video_output_cost": 1.0, "image_input_cost": 0.2}}
    shown = told(wire, {"id": "v", "status": "failed", "completed_at": 1716199724, "usage": usage})
    assert shown.finished_at == ENDED
    assert shown.metrics == {"video_output_cost": 1.0, "image_input_cost": 0.2}


def test_shuyou_tells_what_a_cost_is_made_of() -> None:
    body: JsonValue = {
        "code": "0",
        "data": {"task_id": "t", "task_status": "failed"},
        "usage": {"upstream_cost": 0.039, "cost": 0.02925},
    }
    assert told("shuyou", body).metrics == {"upstream_cost": 0.039, "cost": 0.02925}


def test_the_prompt_that_an_image_was_really_made_from_is_kept() -> None:
    plan = plan_of("llmgateway", request("image"), "gpt-image-2")
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    row: JsonValue = {"b64_json": image, "revised_prompt": "a red fox, oil on canvas"}
    seen = make_format("llmgateway").submission(plan, reply({"created": 1716199724, "data": [row, row]})).observation
    assert (seen.told.revised_prompt, seen.told.finished_at) == ("a red fox, oil on canvas", ENDED)


def test_the_cost_of_speech_is_read_from_beside_the_sound() -> None:
    plan = plan_of("llmgateway", request("audio", voice="alloy"), "gpt-4o-mini-tts")
    headers = {"content-type": "audio/mpeg", "x-litellm-response-cost": "0.015"}
    seen = make_format("llmgateway").submission(plan, reply(b"ID3sound", headers=headers)).observation
    assert seen.cost is not None and str(seen.cost.amount) == "0.015"


class TestShuyousOutputs:
    def urls(self, *items: JsonValue, kind: str = "video") -> list[str | None]:
        body: JsonValue = {"code": "0", "data": {"task_id": "t", "task_status": "success", "output": list(items)}}
        return [one.url for one in make_format("shuyou").observation(job(kind=kind), reply(body)).outputs]

    def test_a_cover_that_stands_first_is_not_the_video(self) -> None:
        row: JsonValue = {"type": "video", "cover_url": "https://c.example/c.jpg", "video_url": "https://c.example/v"}
        assert self.urls(row) == ["https://c.example/v"]
        bare: JsonValue = {"thumbnail": "https://c.example/c.jpg", "result_address": "https://c.example/v"}
        assert self.urls(bare) == ["https://c.example/v"]

    def test_of_several_addresses_the_ending_of_the_type_decides(self) -> None:
        row: JsonValue = {"a": "https://c.example/x.jpg", "b": "https://c.example/v.mp4?e=1"}
        assert self.urls(row) == ["https://c.example/v.mp4?e=1"]

    def test_an_item_of_another_type_is_left_out(self) -> None:
        cover: JsonValue = {"type": "image", "image": "https://c.example/c.jpg"}
        video: JsonValue = {"type": "video", "video": "https://c.example/v.mp4"}
        assert self.urls(cover, video) == ["https://c.example/v.mp4"]

    def test_a_cover_alone_is_no_video_yet(self) -> None:
        assert self.urls({"type": "video", "cover_url": "https://c.example/c.jpg"}) == []


class TestAnswers:
    def test_the_whole_answer_is_kept_as_it_is_where_it_is_short(self) -> None:
        body: JsonValue = {"id": "p", "new_field": {"deep": [1, None, True]}}
        assert json.loads(kept_answer(body) or "") == body

    def test_what_stands_under_the_name_of_a_secret_is_removed(self) -> None:
        assert json.loads(kept_answer({"callback_secret": "whsec_1", "a": 1}) or "") == {
            "callback_secret": "[removed]",
            "a": 1,
        }

    @pytest.mark.parametrize(
        "body",
        [
            {"data": [{"b64_json": "A" * 5_000_000}] * 3},
            {f"field{n}": "text " * 100 for n in range(1000)},
            [[["x" * 1000] * 20] * 20] * 20,
            ["\u2028" * 1000] * 100,
        ],
    )
    def test_it_is_bounded_and_still_json(self, body: JsonValue) -> None:
        kept = kept_answer(body) or ""
        assert len(kept) <= ANSWER_BYTES_MAX
        json.loads(kept)

    def test_what_is_no_json_is_not_kept(self) -> None:
        assert kept_answer(b"\x00\x01") is None

    def test_ids_for_support_come_from_headers_and_body(self) -> None:
        body: JsonValue = {"title": "Bad", "trace_id": "tr-1", "error": {"request_id": "rq-1\x00"}}
        shown = support_ids(reply(body, 400, {"x-shuyou-requestid": "sy-1", "x-request-id": "x" * 500}))
        assert (shown["trace_id"], shown["request_id"], shown["x-shuyou-requestid"]) == ("tr-1", "rq-1", "sy-1")
        assert len(shown["x-request-id"]) <= 120

    @pytest.mark.parametrize(
        "form", [KEY, KEY.replace("-", "%2D"), base64.b64encode(KEY.encode()).decode(), f"Bearer {KEY} in a sentence"]
    )
    async def test_a_look_brings_ids_and_the_answer_without_the_key(self, form: str) -> None:
        said: JsonValue = {"echo": form, form: 1, "long": "x" * 550 + form + "y" * 600}
        data: JsonValue = {"task_id": "t", "task_status": "processing"}
        body: dict[str, JsonValue] = {"code": "0", "data": data, "said": said, "request_id": "rq-7"}
        made = provider("shuyou", always(200, body, x_shuyou_requestid="sy-7"))
        seen = await made.poll(Job(job_id="t", model="m"))
        assert seen.told.ids == {"request_id": "rq-7", "x-shuyou-requestid": "sy-7"}
        assert seen.answer is not None and "processing" in seen.answer
        assert KEY[3:] not in seen.answer and form not in seen.answer
        assert "answer" not in seen.model_dump()
        await made.aclose()

    def test_the_ids_of_the_first_answer_stay(self) -> None:
        first = Told(ids={"x-request-id": "submission"}, logs="early")
        later = first.joined(Told(ids={"x-request-id": "look"}, logs="late"))
        assert (later.ids, later.logs) == ({"x-request-id": "submission"}, "late")


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("wire", ["routeany", "shuyou", "apixo"])
async def test_a_read_that_no_page_promises_cannot_check_a_key(wire: str, status: int) -> None:
    made = provider(wire, always(status, {"message": "no such route"}))
    found = await made.check_account()
    assert (found.ok, found.checked) == (True, False)
    assert "cannot be checked: GET /" in found.message
    assert "BASE_URL is not its address" in found.message
    assert "no page" not in found.message
    await made.aclose()


async def test_a_refused_key_is_still_broken() -> None:
    made = provider("shuyou", Gateway(lambda _: httpx.Response(401, json={"error": {"type": "access_denied"}})))
    found = await made.check_account()
    assert (found.ok, found.checked) == (False, True)
    await made.aclose()
