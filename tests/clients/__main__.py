"""Run real clients: `python -m tests.clients [NAME…] [--quick] [--jobs N] [--install] [--write]`.

Without names all of them; `--quick` runs those few that every run of the checks tries, and `--install` only gets their
packages. Prints a table; `--write` puts that of a whole run into docs/clients.md. Exits with 1 where a client did not
come to the end.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from ..served import ROOT, serving, without_keys
from .catalogue import CLIENTS, Client
from .environments import interpreter, variables
from .page import DOCUMENT, Outcome, page, table

SECONDS = 600
"""Limit on one client on one wire."""

COMPLAINT_CHARACTERS = 300


def tried(client: Client, wire: str) -> Outcome:
    """One client on one wire, against a server and a home of its own."""
    outcome = Outcome(client, wire)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home = Path(folder, "home")
        transport = wire.partition(" ")[0]
        url = None
        if transport != "stdio":
            serve = ["-m", "rushes", "serve", "--transport", transport, "--port", "0"]
            url = stack.enter_context(serving(serve, home))
        environment = {**without_keys(), "RUSHES_HOME": str(home)}
        command = [sys.executable, "-m", "rushes", "serve"]
        job = {"wire": wire, "command": command, "env": environment, "url": url}
        package = "scripts" if client.kind == "library" else "agents"
        done = subprocess.run(
            [interpreter(client), "-m", f"tests.clients.{package}.{client.script}", json.dumps(job)],
            env={**without_keys(), **variables(client)},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
    if done.returncode:
        outcome.failure = done.stderr.strip()[-COMPLAINT_CHARACTERS:].replace("\n", " ")
    else:
        told = json.loads(done.stdout.splitlines()[-1])
        outcome.version, outcome.protocol, outcome.steps = told["version"], told["protocol"], told["steps"]
    ended = f"FAIL {outcome.failure}" if outcome.failure else f"ok {outcome.steps}"
    print(f"{client.name} {wire}: {ended}", flush=True)  # noqa: T201
    return outcome


def chosen(names: Sequence[str], *, quick: bool) -> list[tuple[Client, str]]:
    """Clients with their wires."""
    unknown = set(names) - {client.name for client in CLIENTS}
    if unknown:
        raise SystemExit(f"no such client: {', '.join(sorted(unknown))}")
    clients = [client for client in CLIENTS if not names or client.name in names]
    return [(client, wire) for client in clients for wire in (client.quick if quick else client.wires)]


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(client.name for client in CLIENTS))
    parser.add_argument("--quick", action="store_true", help="only what every run of the checks tries")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once")
    parser.add_argument("--install", action="store_true", help="only get their packages into the cache folder")
    parser.add_argument("--write", action="store_true", help=f"write docs/{DOCUMENT.name}; only for a whole run")
    asked = parser.parse_args()
    if asked.write and (asked.names or asked.quick):
        parser.error("--write is for a run of all clients")
    runs = chosen(asked.names, quick=asked.quick)
    for client in dict.fromkeys(client for client, _ in runs):
        interpreter(client)
        variables(client)
    if asked.install:
        return 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        outcomes = list(pool.map(tried, *zip(*runs, strict=True)))
    print(table(outcomes))  # noqa: T201
    if asked.write:
        DOCUMENT.write_text(page(outcomes), encoding="utf-8")
    return 1 if any(outcome.failure for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
