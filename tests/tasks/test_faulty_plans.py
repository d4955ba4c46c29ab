"""Formats and providers come from other packages too: a fault in one is no fault of the call, and costs nothing."""

from pathlib import Path

import anyio
import pytest

from rushes.domain.errors import RequestRefused
from rushes.domain.job import Observation, Plan
from rushes.domain.model_facts import ModelFacts
from rushes.domain.principal import LOCAL
from rushes.domain.request import GenerationRequest

from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED

pytestmark = pytest.mark.anyio


class Faulty(ScriptedProvider):
    """It raises what no contract names."""

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        raise KeyError("size")


async def test_a_provider_that_cannot_plan_is_told_as_such_with_nothing_sent(tmp_path: Path) -> None:
    faulty = Faulty(name="faulty")
    async with an_engine(tmp_path, faulty) as engine:
        with pytest.raises(RequestRefused) as refused:
            await engine.generate(a_wish(provider="faulty"))
        listed = await engine.list_tasks(limit=10, principal=LOCAL)
    assert (refused.value.reason, refused.value.charged) == ("internal", "no")
    assert "faulty" in refused.value.message
    assert (faulty.plans, list(listed.records)) == ([], [])


async def test_the_next_provider_takes_what_one_that_cannot_plan_does_not(tmp_path: Path) -> None:
    faulty = Faulty(name="faulty")
    sound = ScriptedProvider(name="sound", answers=[ACCEPTED], looks=[Observation(state="running")])
    async with an_engine(tmp_path, faulty, sound) as engine:
        with anyio.fail_after(10):
            record = (await engine.generate(a_wish())).record
    assert (record.provider, len(sound.plans)) == ("sound", 1)
