"""Results of a real wire on their way to a file, with the gateway answered for by a function."""

import json
from datetime import UTC, datetime
from pathlib import Path

import anyio
import httpx
import pytest
from pydantic import JsonValue

from rushes.domain.principal import LOCAL

from ..previews.media_files import RED, a_video
from ..providers.replies import Gateway, provider
from .engines import a_wish, an_engine

pytestmark = pytest.mark.anyio

BASE = "https://llmgateway.invalid"
SIGNED = f"{BASE}/v1/videos/logs/1/content?token=abc"


@pytest.mark.parametrize("works", [SIGNED, f"{BASE}/v1/videos/v1/content"])
async def test_a_finished_video_is_kept_from_whichever_of_its_two_addresses_works(tmp_path: Path, works: str) -> None:
    movie = Path(a_video(tmp_path / "movie.mp4", [RED]).path or "").read_bytes()
    content: JsonValue = [{"type": "video", "url": SIGNED, "mime_type": "video/mp4"}]
    job: JsonValue = {"id": "v1", "object": "video", "status": "completed", "content": content, "error": None}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json=job)
        return httpx.Response(200, content=movie) if str(request.url) == works else httpx.Response(404)

    async with an_engine(tmp_path / "home", provider("llmgateway", Gateway(answer))) as engine:
        record = (await engine.generate(a_wish(duration_seconds=8))).record
        with anyio.fail_after(10):
            ended = await engine.wait(record.task_id, seconds=10, principal=LOCAL)
    assert [output.kept.bytes for output in ended.outputs if output.kept is not None] == [len(movie)]


@pytest.mark.parametrize("model", ["google/veo-3.1", "acme/new"])
async def test_a_lost_answer_is_found_in_the_list_for_known_and_unknown_models(tmp_path: Path, model: str) -> None:
    movie = Path(a_video(tmp_path / "movie.mp4", [RED]).path or "").read_bytes()
    sent: list[dict[str, JsonValue]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            made = {"id": "p1", "model": model, "input": json.loads(request.content)["input"], "status": "succeeded"}
            created_at = datetime.now(UTC).isoformat()
            sent.append({**made, "created_at": created_at, "output": "https://routeany.invalid/v.mp4"})
            raise httpx.ReadError("cut")
        if request.url.path == "/v.mp4":
            return httpx.Response(200, content=movie)
        return httpx.Response(200, json=sent[0] if request.url.path.endswith("/p1") else {"results": sent})

    async with an_engine(tmp_path / "home", provider("routeany", Gateway(answer))) as engine:
        record = (await engine.generate(a_wish(model=model, provider="routeany"))).record
        assert record.phase == "reconciling"
        with anyio.fail_after(10):
            ended = await engine.wait(record.task_id, seconds=10, principal=LOCAL)
    assert (ended.state, len(sent), [output.keeping.status for output in ended.outputs]) == ("succeeded", 1, ["kept"])
