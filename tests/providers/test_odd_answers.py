"""An answer with an oddity in one place is still read: the id of a job that is paid for, and where its result is."""

import pytest
from pydantic import JsonValue

from rushes.providers.client.reply import parse_body
from rushes.providers.format import Unintelligible, job_id_of
from rushes.providers.formats.readings import expiry_of, parse_text

from .replies import always, job, make_format, plan_of, provider, reply
from .requests import request

ODDITIES = {
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "exponent": b"1e400",
    "digits": b"9" * 5000,
    "line break": b'"two\nlines"',
    "NUL": b'"a\0b"',
    "Latin-1": b'"caf\xe9"',
    "half an emoji": b'"\\ud83d \0"',
}
odd = pytest.mark.parametrize("odd", ODDITIES.values(), ids=ODDITIES)


@pytest.mark.anyio
@odd
async def test_a_paid_job_is_known_by_its_id(odd: bytes) -> None:
    made = provider("routeany", always(content=b'{"id":"j1","status":"starting","metrics":{"t":%s}}' % odd))
    submission = await made.submit(plan_of("routeany", request(duration_seconds=5), "a/b"))
    assert (submission.job.job_id, submission.observation.state) == ("j1", "queued")


@pytest.mark.anyio
@odd
async def test_a_result_is_found(odd: bytes) -> None:
    content = b'{"id":"j1","status":"succeeded","output":"https://h.example/v.mp4","metrics":{"t":%s}}' % odd
    seen = await provider("routeany", always(content=content)).poll(job())
    assert [output.url for output in seen.outputs] == ["https://h.example/v.mp4"]


def test_a_number_beyond_all_is_no_id() -> None:
    assert parse_text(float("1e400")) is None


def test_an_address_that_expires_after_the_last_year_names_no_moment() -> None:
    assert expiry_of("https://h.example/v.mp4?X-Amz-Date=99991231T235959Z&X-Amz-Expires=604800") is None


def test_an_address_that_is_none_does_not_hide_the_one_beside_it() -> None:
    output: dict[str, JsonValue] = {"one": "https://[x/", "two": "https://h.example/v.mp4"}
    body: dict[str, JsonValue] = {"code": 200, "data": {"task_id": "j1", "task_status": "success", "output": output}}
    seen = make_format("shuyou").observation(job(kind="video"), reply(body))
    assert [found.url for found in seen.outputs] == ["https://h.example/v.mp4"]


def test_an_id_in_bytes_that_are_no_text_is_none_so_that_its_job_is_searched_for() -> None:
    body = parse_body("application/json", b'{"id": "job-\xff\xfe"}')
    assert isinstance(body, dict)
    with pytest.raises(Unintelligible):
        job_id_of(body["id"])
