"""kill -9 while a request waits for an input that another task has still to make: paid once, or told to be unpaid."""

import signal
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from pydantic import SecretStr

from rushes.domain.record import TaskRecord

from ..gateways.client import RunningGateways
from .account import Account, account_of
from .crew import Crew
from .fuse import Burn
from .gateways import address_of
from .orders import Further, Order, Reached
from .points import Errand
from .tally import Tally

pytestmark = pytest.mark.anyio

FIRST, SECOND = "apixo", "llmgateway"
"""Who makes the input, and who is to take it."""


@dataclass(frozen=True)
class Death:
    """Where the first process dies, and what then must come of the request that waited."""

    name: str
    place: str
    came: str = "kept"
    posts: int = 1
    nth: int = 1
    words: str = "[polls:2]"
    """For the input's job."""
    first: str = FIRST
    errand: Errand = "generate"
    refuses: bool = False
    """The gateway asks to wait at the first POST."""


DEATHS = (
    Death("while it waits", "journal.after", nth=2),
    Death("when its input is ready at the gateway", "success.after"),
    Death("when its input has come", "final.after"),
    Death("before it is written as leaving", "release.before"),
    Death("after it is written as leaving", "release.after", came="unknown", posts=0),
    Death("after its POST was answered", "job-id.after", nth=2),
    Death("while its gateway has it wait once more", "held.after", posts=2, refuses=True),
    Death("while it waits for what then fails", "journal.after", "refused", 0, 2, "[polls:2] [fail:content_violation]"),
    Death("when its input was cancelled", "cancelled.after", "refused", 0, 1, "[slow:30]", "sandbox", "cancel"),
)


def _order(home: Path, gateways: RunningGateways, death: Death, life: str) -> Order:
    prompt = f"a red fox, {death.name} {death.words}"
    key = gateways.environment[f"{SECOND.upper()}_API_KEY"]
    order = Order(
        order=f"{home.name}-{life}",
        home=home,
        gateway=death.first,
        kind="image",
        prompt=prompt,
        asked={"size": "64x64"} if death.first == "sandbox" else {},
        further=(Reached(gateway=SECOND, base_url=gateways.base_url(SECOND), api_key=SecretStr(key)),),
    )
    return address_of(order, gateways)


async def _accounted(
    home: Path, death: Death, crew: Crew, gateways: RunningGateways
) -> tuple[Account, TaskRecord, TaskRecord]:
    """What came of the request that waited, with its record and its input's."""
    follows = Further(gateway=SECOND, prompt=f"the fox moves on, {death.name}")
    dying = _order(home, gateways, death, "a").model_copy(
        update={
            "calls": 1,
            "follows": follows,
            "cancel": "ask" if death.errand == "cancel" else "no",
            "fuse": Burn(kill_at=death.place, nth=death.nth),
        }
    )
    worker = await crew.start(dying)
    assert await worker.ends() == -signal.SIGKILL, worker.fault()
    report = await (await crew.start(_order(home, gateways, death, "b"))).ends_well()
    asked = dying.model_copy(update={"gateway": SECOND, "prompt": follows.prompt})
    account = await account_of(asked, report, gateways)
    (made,) = (record for record in report.records if record.request.prompt == dying.prompt)
    return account, account.records[0], made


@pytest.mark.parametrize("death", DEATHS, ids=[death.name for death in DEATHS])
async def test_a_request_that_waited_for_its_input_is_paid_once_or_told_to_be_unpaid(
    death: Death, crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    if death.refuses:
        await gateways.set_behaviour(SECOND, "retry-after:1", times=1)
    with anyio.fail_after(60):
        account, record, made = await _accounted(tmp_path, death, crew, gateways)
    tally.add(f"an input awaited, {death.name.removeprefix('while it ')}", account, kills=1)

    assert (account.came, len(account.posts), len(account.jobs)) == (
        death.came,
        death.posts,
        int(death.came == "kept"),
    ), record.failure
    assert record.parents == (made.task_id,)
    if death.came == "refused":
        assert record.failure is not None
        assert (record.failure.reason, record.failure.charged) == ("invalid_media", "no")
        assert made.task_id in record.failure.message
    elif death.came == "kept":
        (medium,) = record.request.media
        assert medium.sha256 == (made.outputs[0].kept and made.outputs[0].kept.sha256)
