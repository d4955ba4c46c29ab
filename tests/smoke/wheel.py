"""Drive an installed `rushes` over stdio with the SDK's client: list the tools, make an image, decode the kept file.

Usage: python wheel.py PATH_OF_RUSHES
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from PIL import Image

TOOLS_BYTES_MAX = 8192
TOOLS = {
    "generate_video",
    "generate_image",
    "generate_audio",
    "check_task",
    "list_tasks",
    "cancel_task",
    "list_models",
}


async def check_tools(client: Client) -> None:
    listing = await client.list_tools()
    size = len(json.dumps(listing.model_dump(mode="json", by_alias=True, exclude_none=True), separators=(",", ":")))
    names = {tool.name for tool in listing.tools}
    assert names >= TOOLS, f"tools are missing: {TOOLS - names}"
    assert size < TOOLS_BYTES_MAX, f"tools/list has {size} bytes"
    print(f"{len(names)} tools in {size} bytes")  # noqa: T201


async def make_image(client: Client) -> Path:
    arguments: dict[str, Any] = {"prompt": "a lighthouse in a storm", "aspect_ratio": "16:9", "wait_seconds": 30}
    result = await client.call_tool("generate_image", arguments)
    task = cast("dict[str, Any]", result.structured_content)
    assert task["state"] == "succeeded", task
    return Path(task["outputs"][0]["path"])


async def drive(command: str, home: str) -> None:
    server = StdioServerParameters(command=command, args=["serve"], env={"RUSHES_HOME": home})
    with anyio.fail_after(60):
        async with Client(server) as client:
            await check_tools(client)
            path = await make_image(client)
    with Image.open(path) as image:
        image.load()
        assert abs(image.width / image.height - 16 / 9) < 0.02, image.size
        print(f"{image.format} of {image.width} x {image.height} at {path.name}")  # noqa: T201


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        anyio.run(drive, str(Path(sys.argv[1]).resolve()), home)


if __name__ == "__main__":
    main()
