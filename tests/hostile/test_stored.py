"""What a hostile gateway says, on the whole way from its answer to the store, the kept file and its sidecar."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import anyio
import pytest

from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.providers.registry import build_provider
from rushes.tasks.engine import Engine
from rushes.tools import task_of

from ..cache.samples import image
from ..providers.replies import KEY, settings
from ..tasks.engines import a_wish, an_engine
from .server import Server, serving, whole

pytestmark = pytest.mark.anyio

IN_BASE64 = base64.b64encode(b"me:" + KEY.encode()).decode()
SAID = (KEY, "".join(f"%{byte:02x}" for byte in KEY.encode()), IN_BASE64, f"Basic {IN_BASE64}, {KEY}")
LOOKED_FOR = (*SAID[:2], IN_BASE64[4:-4])
PICTURE = image("PNG")


def _gateway(server: Server) -> Callable[[str], list[bytes]]:
    """The key is in the job's log, in its error and in the address of its result, escaped as JSON can."""
    url = f"{server.url}/v.png?key={KEY}"
    told = {"id": "pred_1", "status": "succeeded", "output": url, "logs": SAID, "error": f"used {KEY}"}
    body = json.dumps(told).replace(KEY, "".join(f"\\u{ord(letter):04x}" for letter in KEY)).encode()

    def answer(head: str) -> list[bytes]:
        if "/v.png" in head:
            return whole(PICTURE, content_type="image/png") if quote(KEY) in head else whole(b"", "403 Forbidden")
        return whole(body, "201 Created" if head.startswith("POST") else "200 OK")

    return answer


async def _finished(engine: Engine, prompt: str) -> TaskRecord:
    answer = await engine.generate(a_wish(prompt, kind="image", model="some/model", provider="routeany"))
    with anyio.fail_after(10):
        return await engine.wait(answer.record.task_id, seconds=9, principal=LOCAL)


async def test_a_key_in_all_that_a_gateway_says_is_in_no_result_store_or_sidecar(tmp_path: Path) -> None:
    with serving(answers=_gateway) as server:
        provider = build_provider(settings("routeany", base_url=server.url))
        async with an_engine(tmp_path, provider) as engine:
            record = await _finished(engine, "a red fox")
        await provider.aclose()
    assert record.state == "succeeded"
    assert record.outputs[0].path is not None
    assert Path(record.outputs[0].path).read_bytes() == PICTURE
    shown = task_of(record).model_dump_json()
    stored = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert any(file.suffix == ".json" for file in stored)
    for echo in LOOKED_FOR:
        assert echo not in shown
        assert [file.name for file, content in stored.items() if echo.encode() in content] == []
    assert any("use the kept file" in warning for warning in record.warnings)
