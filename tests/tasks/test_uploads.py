"""Local pictures for gateways that take URLs only: who takes them as they are, and the way through an own address."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute
from pydantic import SecretStr

from rushes.domain.errors import RequestRefused, SubmissionRefused
from rushes.domain.job import Job, Observation, RemoteOutput, Submission
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.providers.client.upload_client import UploadClient, UploadTarget
from rushes.providers.provider import Provider, ProviderSettings
from rushes.providers.registry import build_provider
from rushes.tasks.engine import Engine
from rushes.tasks.service import MediaSource
from tests.gateways.client import RunningGateways
from tests.gateways.fixtures import gateway_process_fixture, gateways

from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, PNG, RUNNING
from .upload_endpoint import Answer, UploadEndpoint, answering, upload_endpoint

__all__ = ["gateway_process_fixture", "gateways"]

pytestmark = pytest.mark.anyio

FORMATS = {"routeany": "routeany", "shuyou": "shuyou", "llmgateway": "llmgateway", "apixo": "apixo"}


@pytest.fixture
def endpoint() -> Iterator[UploadEndpoint]:
    with upload_endpoint() as running:
        yield running


def a_client(endpoint: UploadEndpoint, **changes: Any) -> UploadClient:
    return UploadClient(replace(UploadTarget(url=f"{endpoint.base}/{{name}}"), **changes))


def at(running: RunningGateways, name: str) -> Provider:
    values = running.only(name)
    return build_provider(
        ProviderSettings(
            name=name,
            wire=FORMATS[name],
            base_url=values[f"{name.upper()}_BASE_URL"],
            api_key=SecretStr(values[f"{name.upper()}_API_KEY"]),
        )
    )


def by_url(name: str = "gate") -> ScriptedProvider:
    """A gateway that takes URLs only."""
    return ScriptedProvider(name=name, answers=[ACCEPTED], looks=[RUNNING])


def by_bytes(name: str = "taker") -> ScriptedProvider:
    changes: dict[str, object] = {"image_forms": ("url", "data")}
    return ScriptedProvider(name=name, answers=[ACCEPTED], looks=[RUNNING], facts_changes=changes)


def a_picture(folder: Path) -> MediaSource:
    file = folder / "fox.png"
    file.write_bytes(PNG)
    return MediaSource("image", str(file))


async def settled(engine: Engine, record: TaskRecord) -> TaskRecord:
    with anyio.fail_after(20):
        while not record.settled:
            record = await engine.wait(record.task_id, seconds=5, principal=LOCAL)
    return record


@pytest.mark.parametrize("name", ["routeany", "shuyou", "apixo"])
async def test_a_picture_that_came_as_bytes_becomes_a_first_frame_where_only_urls_are_taken(
    name: str, tmp_path: Path, gateways: RunningGateways, endpoint: UploadEndpoint
) -> None:
    providers = [at(gateways, each) for each in (name, "llmgateway")]
    uploader = a_client(endpoint)
    async with an_engine(tmp_path, *providers, uploader=uploader) as engine:
        answer = await engine.generate(a_wish("a fox", kind="image", provider="llmgateway"))
        picture = await settled(engine, answer.record)
        assert picture.outputs[0].path is not None
        frame = MediaSource("image", f"task:{picture.task_id}#1")
        made = await engine.generate(a_wish("it runs", media=[frame], provider=name))
    (upload,) = endpoint.uploads
    (job,) = await gateways.jobs(name)
    url = f"{endpoint.base}{upload.path}"
    assert url in json.dumps(job.body)
    assert upload.body == Path(picture.outputs[0].path).read_bytes()
    assert upload.headers["content-type"] == picture.outputs[0].mime_type
    assert made.record.request.media[0].url == url
    assert any("uploaded to 127.0.0.1" in warning for warning in made.record.warnings)
    keys = [value for key, value in gateways.environment.items() if key.endswith("_API_KEY")]
    assert not any(key in str(upload.headers) for key in keys)
    for provider in providers:
        await provider.aclose()


async def test_auto_goes_to_the_provider_that_takes_bytes_and_uploads_nothing(
    tmp_path: Path, endpoint: UploadEndpoint
) -> None:
    first, taker = by_url(), by_bytes()
    async with an_engine(tmp_path, first, taker, uploader=a_client(endpoint)) as engine:
        made = await engine.generate(a_wish(media=[a_picture(tmp_path)]))
    assert (made.record.provider, len(first.plans), len(taker.plans)) == ("taker", 0, 1)
    assert endpoint.uploads == []


async def test_a_named_provider_that_takes_urls_only_says_who_takes_files(tmp_path: Path) -> None:
    first, taker = by_url(), by_bytes()
    async with an_engine(tmp_path, first, taker) as engine:
        with pytest.raises(RequestRefused) as caught:
            await engine.generate(a_wish(media=[a_picture(tmp_path)], provider="gate"))
    assert caught.value.reason == "invalid_media"
    assert "gate takes image by https URL only" in caught.value.message
    assert "taker (model model-one)" in (caught.value.hint or "")
    assert first.plans == []


async def test_where_nobody_takes_files_the_setting_that_helps_is_named(tmp_path: Path) -> None:
    async with an_engine(tmp_path, by_url()) as engine:
        with pytest.raises(RequestRefused) as caught:
            await engine.generate(a_wish(media=[a_picture(tmp_path)]))
    assert "[inputs] upload_url" in (caught.value.hint or "")


async def test_a_dry_run_uploads_nothing_and_says_what_would_be_uploaded(
    tmp_path: Path, endpoint: UploadEndpoint
) -> None:
    gate = by_url()
    async with an_engine(tmp_path, gate, uploader=a_client(endpoint)) as engine:
        shown = await engine.preview(a_wish(media=[a_picture(tmp_path)]))
    assert endpoint.uploads == []
    assert any("image: uploaded to 127.0.0.1 first" in warning for warning in shown.warnings)
    assert (gate.requests[-1].media[0].url or "").startswith("https://127.0.0.1/<told by the upload of ")


async def test_a_failed_upload_is_a_refusal_before_anything_is_journaled_or_paid(
    tmp_path: Path, endpoint: UploadEndpoint
) -> None:
    endpoint.answer = answering(507, "full")
    gate = by_url()
    async with an_engine(tmp_path, gate, uploader=a_client(endpoint)) as engine:
        with pytest.raises(RequestRefused) as caught:
            await engine.generate(a_wish(media=[a_picture(tmp_path)]))
        assert (await engine.list_tasks(principal=LOCAL)).records == ()
    assert (caught.value.reason, caught.value.charged, gate.plans) == ("invalid_media", "no", [])
    assert caught.value.message == "The input file could not be uploaded to 127.0.0.1: it answered HTTP 507."
    assert "nothing was paid" in (caught.value.hint or "")


async def test_the_same_call_is_the_same_task_whatever_address_its_file_got(
    tmp_path: Path, endpoint: UploadEndpoint
) -> None:
    async with an_engine(tmp_path, by_url(), uploader=a_client(endpoint)) as engine:
        one = await engine.generate(a_wish(media=[a_picture(tmp_path)]))
        endpoint.answer = answering(200, "URL?second")
        other = await engine.generate(a_wish(media=[a_picture(tmp_path)]))
    assert (other.deduplicated, other.record.task_id) == (True, one.record.task_id)


async def test_an_output_whose_url_has_expired_is_uploaded_from_its_file(
    tmp_path: Path, endpoint: UploadEndpoint
) -> None:
    offered = RemoteOutput(url="https://cdn.example/1.png", expires_at=datetime.now(UTC))
    made = Submission(job=Job(job_id="1", model="m1"), observation=Observation(state="succeeded", outputs=(offered,)))
    gate = by_url()
    gate.answers = [made, ACCEPTED]
    gate.downloads = [PNG]
    async with an_engine(tmp_path, gate, uploader=a_client(endpoint)) as engine:
        picture = await settled(engine, (await engine.generate(a_wish("a fox", kind="image"))).record)
        await engine.generate(a_wish(media=[MediaSource("image", f"task:{picture.task_id}")]))
    (upload,) = endpoint.uploads
    assert upload.body == PNG
    assert gate.requests[-1].media[0].url == f"{endpoint.base}{upload.path}"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (answering(201, location="/elsewhere.png"), "/elsewhere.png"),
        (answering(200, '{"url": "URL?j"}'), "?j"),
        (answering(200, '{"data": {"url": "URL?d"}}'), "?d"),
        (answering(200, " URL?t\n"), "?t"),
        (answering(200, "https://files.example/a.png"), "https://files.example/a.png"),
    ],
)
async def test_the_answer_tells_the_url_in_one_of_three_forms(
    answer: Answer, told: str, endpoint: UploadEndpoint
) -> None:
    endpoint.answer = answer
    url = await a_client(endpoint).upload(PNG, sha256="ab" * 32, mime_type="image/png")
    assert url.endswith(told)
    assert endpoint.uploads[0].path == f"/{'ab' * 16}.png"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answering(302, location="https://a.example/x"), "HTTP 302"),
        (answering(204), "names no URL"),
        (answering(200, "<html>thanks</html>"), "names no URL"),
        (answering(200, "http://files.example/a.png"), "not a plain https URL"),
        (answering(200, "https://user:secret@files.example/a.png"), "not a plain https URL"),
        (answering(200, "https://files.example/" + "a" * 5000), "not a plain https URL"),
        (answering(200, " " * 70_000), "no whole answer came"),
        (answering(200, "[" * 60_000), "names no URL"),
    ],
)
async def test_an_answer_without_a_url_that_a_gateway_could_fetch_is_refused(
    answer: Answer, said: str, endpoint: UploadEndpoint
) -> None:
    endpoint.answer = answer
    with pytest.raises(RequestRefused, match=said):
        await a_client(endpoint).upload(PNG, sha256="ab" * 32, mime_type="image/png")


async def test_a_form_a_header_and_a_public_address_can_be_set(endpoint: UploadEndpoint) -> None:
    endpoint.answer = answering(200)
    client = a_client(
        endpoint,
        url=f"{endpoint.base}/in?id={{sha256}}",
        method="POST",
        form_field="file",
        header="X-Token",
        header_env="MY_TOKEN",
        header_value=SecretStr("Bearer t"),
        public_url="https://files.example/{sha256}.{ext}",
    )
    url = await client.upload(PNG, sha256="ab" * 32, mime_type="image/jpeg")
    (upload,) = endpoint.uploads
    assert url == f"https://files.example/{'ab' * 32}.jpg"
    assert (upload.method, upload.path, upload.headers["x-token"]) == ("POST", f"/in?id={'ab' * 32}", "Bearer t")
    assert b'name="file"' in upload.body
    assert PNG in upload.body
    assert client.expected_url("ab" * 32, "image/jpeg") == url


async def test_a_header_whose_variable_is_not_set_is_told_before_anything_is_sent(endpoint: UploadEndpoint) -> None:
    with pytest.raises(RequestRefused, match="MY_TOKEN, which upload_header_env names, is not set"):
        await a_client(endpoint, header_env="MY_TOKEN").upload(PNG, sha256="ab" * 32, mime_type="image/png")
    assert endpoint.uploads == []


async def test_an_upload_that_takes_too_long_is_given_up(endpoint: UploadEndpoint) -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610
        client = UploadClient(UploadTarget(url=f"http://127.0.0.1:{port}/x"), seconds_max=0.05)
        with pytest.raises(RequestRefused, match="could not be uploaded"):
            await client.upload(PNG, sha256="ab" * 32, mime_type="image/png")


async def test_the_warnings_of_a_provider_that_refused_do_not_stay(tmp_path: Path) -> None:
    first, second = by_url("one"), by_url("two")
    first.answers = [SubmissionRefused("insufficient_credits", "no credit")]
    async with an_engine(tmp_path, first, second) as engine:
        made = await engine.generate(a_wish(aspect_ratio="3:7"))
    assert made.record.warnings == ("not checked: aspect_ratio 3:7 (two documents no such limits of model-one)",)


async def test_media_that_are_too_large_together_are_refused_before_more_is_read(tmp_path: Path) -> None:
    big = tmp_path / "big.png"
    big.write_bytes(PNG)
    with big.open("r+b") as file:
        file.truncate(45_000_000)
    changes: dict[str, object] = {"image_forms": ("url", "data"), "image_bytes_max": 50_000_000}
    taker = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING], facts_changes=changes)
    async with an_engine(tmp_path, taker) as engine:
        with pytest.raises(RequestRefused, match="The input media are over 128 MB together"):
            await engine.preview(a_wish(kind="image", media=[MediaSource("input_image", str(big))] * 32))
