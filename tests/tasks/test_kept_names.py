"""What a kept file is called: after the prompt, of which only the sandbox takes its own words away."""

from pathlib import Path

import anyio
import httpx
import pytest
from pydantic import JsonValue

from rushes.domain.principal import LOCAL
from rushes.providers.sandbox import SandboxProvider

from ..previews.media_files import RED, a_video
from ..providers.replies import Gateway, provider
from .engines import a_wish, an_engine

pytestmark = pytest.mark.anyio

PROMPT = "a fox [slow:0] in [red] snow"


async def test_a_paid_gateways_file_keeps_what_stands_in_brackets_in_its_name(tmp_path: Path) -> None:
    movie = Path(a_video(tmp_path / "movie.mp4", [RED]).path or "").read_bytes()
    address = "https://llmgateway.invalid/v1/videos/v1/content"
    content: JsonValue = [{"type": "video", "url": address, "mime_type": "video/mp4"}]
    job: JsonValue = {"id": "v1", "object": "video", "status": "completed", "content": content, "error": None}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=job) if request.method == "POST" else httpx.Response(200, content=movie)

    async with an_engine(tmp_path / "home", provider("llmgateway", Gateway(answer))) as engine:
        record = (await engine.generate(a_wish(PROMPT, duration_seconds=8))).record
        with anyio.fail_after(20):
            ended = await engine.wait(record.task_id, seconds=20, principal=LOCAL)
    assert [Path(output.kept.path).name for output in ended.outputs if output.kept is not None] == [
        f"a-fox-slow-0-in-red-snow-{record.task_id.lower()}.mp4"
    ]


async def test_the_sandbox_leaves_its_own_words_out_of_a_files_name_and_keeps_other_brackets(tmp_path: Path) -> None:
    async with an_engine(tmp_path / "home", SandboxProvider()) as engine:
        record = (await engine.generate(a_wish(PROMPT, kind="image", size="64x64", provider="sandbox"))).record
        with anyio.fail_after(20):
            ended = await engine.wait(record.task_id, seconds=20, principal=LOCAL)
    assert [Path(output.kept.path).name for output in ended.outputs if output.kept is not None] == [
        f"a-fox-in-red-snow-{record.task_id.lower()}.jpg"
    ]
