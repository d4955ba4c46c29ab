"""What the run of the clients rests on, without running any."""

import pytest

from .catalogue import CLIENTS, Client
from .environments import HERE
from .page import HEAD, Outcome, table

each_client = pytest.mark.parametrize("client", CLIENTS, ids=[client.name for client in CLIENTS])


@each_client
def test_a_client_has_its_script_its_packages_and_wires(client: Client) -> None:
    folder = "scripts" if client.kind == "library" else "agents"
    assert (HERE / folder / f"{client.script}.py").is_file()
    assert client.node is None or (HERE / "node" / client.node / "package-lock.json").is_file()
    assert all("==" in package for package in client.python)
    assert client.wires
    assert set(client.quick) <= set(client.wires)
    assert {wire.partition(" ")[0] for wire in client.wires} <= {"stdio", "http", "sse"}


def test_a_client_that_failed_says_so_in_the_table() -> None:
    shown = table([Outcome(CLIENTS[0], "stdio auto", failure="it | broke")])

    row = shown.splitlines()[2]
    assert row.count(" | ") == len(HEAD) - 1
    assert "**failed**: it / broke" in row
