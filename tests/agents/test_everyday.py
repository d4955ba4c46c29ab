"""Every everyday request gets through where a model of the keys takes it, and is refused with the nearest elsewhere."""

import json
from pathlib import Path

import pytest

from rushes.domain.errors import RequestRefused
from rushes.tasks.intake.routing import route

from ..server.clients import Document, connected, document
from ..tasks.engines import an_engine
from .__main__ import DOCUMENT
from .everyday import EVERYDAY, FRAME, request_of
from .keys import KEYS, configured
from .table import Outcome, outcomes, tabled

pytestmark = pytest.mark.anyio


async def answered(home: Path, keys: str, *calls: tuple[str, dict[str, object]]) -> list[Document]:
    """The answers of dry runs with these keys."""
    async with an_engine(home, *configured(KEYS[keys])) as engine, connected(engine) as client:
        return [document(await client.call_tool(tool, {"dry_run": True, **arguments})) for tool, arguments in calls]


@pytest.mark.parametrize("keys", KEYS)
async def test_each_everyday_request_gets_through_or_is_refused_unpaid_with_the_reason_and_what_fits(
    tmp_path: Path, keys: str
) -> None:
    for request, outcome in zip(EVERYDAY, await outcomes(tmp_path, keys), strict=True):
        if outcome.model is not None:
            assert outcome.chosen, request.words
            assert outcome.is_known or outcome.warned, request.words
        else:
            assert outcome.charged == "no", request.words
            assert outcome.message, request.words
            assert "Nearest:" in outcome.hint or "would take it" in outcome.hint or "offered by" in outcome.hint


async def test_all_keys_together_take_all_but_what_none_of_their_models_makes(tmp_path: Path) -> None:
    refused = [
        request.words
        for request, outcome in zip(EVERYDAY, await outcomes(tmp_path, "all five"), strict=True)
        if outcome.model is None
    ]

    assert refused == ["sound"]


@pytest.mark.parametrize("keys", KEYS)
async def test_what_is_refused_without_a_model_is_refused_by_each_model_of_these_keys_by_name(
    tmp_path: Path, keys: str
) -> None:
    entries = configured(KEYS[keys])
    pairs = [
        (entry.provider.name, row)
        for entry in entries
        if entry.problem is None and not entry.provider.traits.free
        for row in entry.provider.models()
    ]
    for request, outcome in zip(EVERYDAY, await outcomes(tmp_path, keys), strict=True):
        if outcome.model is None:
            asked = request_of(request)
            for provider, row in pairs:
                with pytest.raises(RequestRefused):
                    route(asked.model_copy(update={"model": row.name}), entries, provider)


@pytest.mark.parametrize("keys", KEYS)
async def test_the_readmes_examples_run_with_each_key_that_has_a_model_for_them(tmp_path: Path, keys: str) -> None:
    still, moving = await answered(
        tmp_path,
        keys,
        ("generate_image", {"prompt": "a lighthouse in a storm", "aspect_ratio": "16:9"}),
        ("generate_video", {"prompt": "the storm calms", "image": FRAME, "duration_seconds": 5}),
    )

    assert "payload" in moving, moving
    if keys in {"routeany", "yuto"}:
        assert "offers no image model" in json.dumps(still)
    else:
        assert "payload" in still, still


async def test_what_was_chosen_stands_in_the_dry_run_and_stays_short(tmp_path: Path) -> None:
    (shown,) = await answered(tmp_path, "all five", ("generate_video", {"prompt": "a fox", "duration_seconds": 15}))

    chosen = shown["chosen"]
    assert isinstance(chosen, dict)
    assert {*chosen} == {"why", "alternatives"}
    assert len(json.dumps(chosen)) < 420


async def test_the_table_of_the_page_is_what_a_run_says(tmp_path: Path) -> None:
    """To accept a change: python -m tests.agents, then read the difference."""
    page = DOCUMENT.read_text(encoding="utf-8")

    assert f"<!-- everyday -->\n\n{await tabled(tmp_path)}\n<!-- end of everyday -->" in page


def test_an_outcome_says_its_model_how_sure_that_is_and_else_what_is_nearest() -> None:
    hint = "Nothing was sent. Nearest: veo-3.1 on apixo with this changed: without audio."
    assert str(Outcome(model="google/veo-3.1", provider="routeany")) == "veo-3.1"
    assert str(Outcome(model="sora-2", chosen="it may (seed 7 could not be checked)")) == "sora-2 ?"
    assert [str(Outcome(hint=hint)), str(Outcome())] == ["- (without audio)", "-"]
