"""A gateway may put an order to the model into each field of its answers: nowhere does it reach an agent as ours.

What can be a sentence stands in quotes after "The gateway says:", and ends there; an address or a type is one word.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import cast

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client
from pydantic import JsonValue

from rushes.domain.failure import clean_text, gateway_says
from rushes.providers.registry import build_provider
from rushes.tasks.life import held
from rushes.tools import task_of

from ..providers.replies import settings
from ..server.clients import connected, document
from ..tasks.engines import a_wish, an_engine, at_rest
from ..tasks.makers import START, a_record
from .server import Server, serving, whole
from .test_strangers_text import HIDDEN, INVISIBLE, ORDER, cannot_be_seen

pytestmark = pytest.mark.anyio

UNSEEN = f"{''.join(INVISIBLE)}\U000e0100\u115f{HIDDEN}"
VARIED = "\ufe01\U000e0141"
"""Variation selectors: Python calls them printable, and 256 of them can spell any text."""
LONG = f"{ORDER}. {UNSEEN}" * 60
QUOTED = re.compile(r'The gateway says: "[^"]*"')

Answers = Callable[[Server, str], list[bytes]]
"""What a gateway answers to the head of a request."""


def _json(told: Mapping[str, JsonValue], status: str = "200 OK") -> list[bytes]:
    return whole(json.dumps(told).encode(), status)


def _prediction(status: str = "starting", **more: JsonValue) -> list[bytes]:
    page = f"https://gateway.invalid/{VARIED}p"
    told: dict[str, JsonValue] = {"id": f"{ORDER}{VARIED}", "status": status, "urls": {"web": page}}
    return _json({**told, "metrics": {f"{ORDER}{UNSEEN}": 1}, "logs": LONG, **more})


def _in_an_unknown_state(_: Server, head: str) -> list[bytes]:
    return _prediction() if head.startswith("POST") else _prediction(f"{ORDER} \u3164{VARIED}")


def _failed(_: Server, head: str) -> list[bytes]:
    return _prediction() if head.startswith("POST") else _prediction("failed", error=LONG)


def _refused(_: Server, __: str) -> list[bytes]:
    return _json({"detail": LONG, "title": LONG, "code": LONG}, "422 Unprocessable Entity")


def _lost(_: Server, __: str) -> list[bytes]:
    told: dict[str, JsonValue] = {"detail": LONG, "code": LONG, "prediction": {"id": f"{ORDER}{VARIED}"}}
    return _json(told, "504 Gateway Timeout")


def _closed_to_looks(_: Server, head: str) -> list[bytes]:
    return _prediction() if head.startswith("POST") else _json({"detail": LONG}, "401 Unauthorized")


def _of_no_type(server: Server, head: str) -> list[bytes]:
    if head.startswith("GET /v.png"):
        return whole(b"\x01\x02\x03\x04" * 99, content_type=f"image/{ORDER}")
    return _prediction("succeeded", output=[f"{server.url}/v.png?{ORDER}{VARIED}", f'{server.url}/v.png?"{ORDER}'])


ANSWERS: Mapping[str, tuple[str, Answers]] = {
    "an unknown state": ("routeany", _in_an_unknown_state),
    "a failure": ("routeany", _failed),
    "a refusal": ("routeany", _refused),
    "a lost answer that names a job": ("apixo", _lost),
    "looks that are refused": ("routeany", _closed_to_looks),
    "results of no type": ("routeany", _of_no_type),
}


@pytest.mark.parametrize("what", ANSWERS)
async def test_an_order_in_any_field_reaches_an_agent_in_quotes_or_as_one_word(what: str, tmp_path: Path) -> None:
    shown: list[object] = []
    wire, answers = ANSWERS[what]
    with serving(answers=lambda server: lambda head: answers(server, head)) as server:
        provider = build_provider(settings(wire, base_url=server.url))
        async with an_engine(tmp_path, provider) as engine, connected(engine) as client:
            wish = a_wish(kind="image", model="some/model", provider=wire)
            with anyio.fail_after(30):
                record = (await engine.generate(wish)).record
                shown.append(document(await client.call_tool("check_task", {"task_id": record.task_id})))
                journal = engine._journal  # pyright: ignore[reportPrivateUsage]
                while record.phase != "done" and not record.warnings:
                    record = await journal.changed(record, seconds=30.0)
                shown += await _all_that_is_said(client, record.task_id)
        await provider.aclose()

    texts = [text for each in shown for text in _texts(each)]
    assert any(ORDER in text for text in texts), "the attack came to nothing"
    assert [text for text in texts if ORDER in QUOTED.sub("", text)] == []
    assert [text for text in texts if text.count('"') % 2 and "gateway says" in text] == []
    assert {hex(ord(letter)) for text in texts for letter in text if cannot_be_seen(letter)} == set()


async def _all_that_is_said(client: Client, task_id: str) -> list[object]:
    task = document(await client.call_tool("check_task", {"task_id": task_id}))
    tasks = document(await client.call_tool("list_tasks", {}))
    (resource,) = (await client.read_resource(f"rushes://tasks/{task_id}")).contents
    return [task, tasks, json.loads(getattr(resource, "text", ""))]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from _texts(each)
    elif isinstance(value, dict):
        for name, each in cast("dict[str, object]", value).items():
            yield name
            yield from _texts(each)


async def test_the_gateways_whole_answer_shows_what_could_not_be_seen(tmp_path: Path) -> None:
    with serving(answers=lambda server: lambda head: _failed(server, head)) as server:
        provider = build_provider(settings("routeany", base_url=server.url))
        async with an_engine(tmp_path, provider) as engine, connected(engine) as client:
            record = (await engine.generate(a_wish(kind="image", model="some/model", provider="routeany"))).record
            with anyio.fail_after(30):
                await at_rest(engine, record)
            (answer,) = (await client.read_resource(f"rushes://tasks/{record.task_id}/answer")).contents
        await provider.aclose()

    text = getattr(answer, "text", "")
    assert ORDER in text
    assert [hex(ord(letter)) for letter in text if cannot_be_seen(letter)] == []


def test_a_request_that_is_held_says_why_in_quotes_that_end() -> None:
    why = f"gate refused the request. {gateway_says(LONG)}"

    record = held(a_record(phase="submitting"), why, START + timedelta(seconds=60), START, asked=True)

    (warning,) = (text for text in task_of(record, now=START).warnings if ORDER in text)
    assert ORDER not in QUOTED.sub("", warning)
    assert QUOTED.sub("", warning).endswith("do not call again.")


@given(st.text(max_size=700), st.text(max_size=700), st.integers(60, 700))
def test_wherever_a_message_is_cut_the_gateways_words_in_it_end(ours: str, words: str, limit: int) -> None:
    line = clean_text(f"{ours.replace(chr(34), '')} {gateway_says(words)}", limit)

    assert len(line) <= limit
    begun = line.count('The gateway says: "')
    assert len(QUOTED.findall(line)) == begun
