"""A small run of the table in docs/money.md: ledger and gateways agree to the cent."""

from pathlib import Path

import anyio
import pytest

from ..crash.crew import crew_of, nursery_process
from ..gateways.client import RunningGateways
from .balance import faults_of, markdown
from .run import Run

pytestmark = [pytest.mark.anyio, pytest.mark.storm]

TASKS = 8
"""At each gateway: the first five of two teach what they cost."""


async def test_the_ledger_is_what_the_gateways_charged_whatever_became_of_the_tasks(
    gateways: RunningGateways, tmp_path: Path
) -> None:
    with anyio.fail_after(300), nursery_process() as nursery:
        async with crew_of(nursery) as crew:
            outcome = await Run(tmp_path, crew, gateways, TASKS).made()
    assert faults_of(outcome) == [], markdown(outcome)
    assert outcome.kills
