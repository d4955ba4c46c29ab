"""What the SDK keeps to itself is touched in one module."""

import ast
from collections.abc import Iterator
from pathlib import Path

from rushes.server.mcp.server import build_server
from rushes.tools import already

from ..house.checkout import ROOT
from ..tools.fake_service import FakeService

DOOR = ROOT / "server" / "mcp" / "sdk.py"


def attributes_read_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr


def test_private_parts_of_the_sdk_are_named_in_one_module_only() -> None:
    server = build_server(already(FakeService()), local_files=True)
    of_the_sdk = {name for name in vars(server) if name.startswith("_")} | {"_connection"}
    assert of_the_sdk & set(attributes_read_in(DOOR)) == {"_lowlevel_server", "_tool_manager", "_connection"}

    elsewhere = [
        f"{path.relative_to(ROOT).as_posix()}: {name}"
        for path in sorted((ROOT / "server").rglob("*.py"))
        if path != DOOR
        for name in attributes_read_in(path)
        if name in of_the_sdk
    ]
    assert elsewhere == []
