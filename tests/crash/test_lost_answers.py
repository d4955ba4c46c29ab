"""Every way to lose the answer to a paid POST, at every gateway: what it is taken for, and never a second POST."""

import dataclasses
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.providers.registry import build_provider, default_settings
from rushes.tasks.engine import Engine
from rushes.tasks.service import Wish

from ..gateways.client import RunningGateways
from ..gateways.proxies import PROXY_ANSWERS
from ..tasks.engines import QUICK, an_engine, at_rest
from ..tasks.test_proxy_answers import GATEWAYS, NEXT, engine_over, wish_for
from .account import Account, account_of
from .answers import BEHIND_PROXIES, OUTCOMES, Outcome
from .gateways import GROUNDS, Ground, address_of, each_ground
from .orders import Order, Report
from .tally import Tally

pytestmark = pytest.mark.anyio

PATIENT_SECONDS, IMPATIENT_SECONDS = 60.0, 0.5
AT_ONCE = dataclasses.replace(QUICK, hold_tries_max=0)
"""What is refused with a time is told as refused, and not sent again later."""

GROUPS = {
    "accepted": [each for each in OUTCOMES if each.accepted and not each.impatient],
    "accepted, slow": [each for each in OUTCOMES if each.impatient],
    "not accepted": [each for each in OUTCOMES if not each.accepted],
    "accepted, behind a proxy": [each for each in BEHIND_PROXIES if each.accepted],
    "not accepted, behind a proxy": [each for each in BEHIND_PROXIES if not each.accepted],
}


@dataclass
class Trial:
    """One gateway, reached through the real adapter, and a clock on which nobody has to wait."""

    ground: Ground
    home: Path
    gateways: RunningGateways

    @asynccontextmanager
    async def engine(self, timeout_seconds: float, base_url: str | None = None) -> AsyncGenerator[Engine]:
        known = next(each for each in default_settings() if each.name == self.ground.gateway)
        order = address_of(self.order(""), self.gateways)
        changes = {"base_url": base_url or order.base_url, "api_key": order.api_key, "timeout_seconds": timeout_seconds}
        provider = build_provider(known.model_copy(update=changes))
        try:
            async with an_engine(self.home, provider, limits=AT_ONCE) as engine:
                yield engine
        finally:
            await provider.aclose()

    def order(self, prompt: str) -> Order:
        ground = self.ground
        return Order(
            order="", home=self.home, gateway=ground.gateway, kind=ground.kind, prompt=prompt, asked=ground.asked
        )

    def wish(self, outcome: Outcome) -> Wish:
        return self.order(f"a red fox [{outcome.word}]").wish

    async def send(self, engine: Engine, outcome: Outcome) -> None:
        """Make the call, and an equal one as long as it goes on; whatever comes of it is noted in the store."""
        if outcome.armed:
            await self.gateways.set_behaviour(self.ground.gateway, outcome.word)
        made = (await engine.generate(self.wish(outcome))).record
        if not made.final:
            await self._ask_again(engine, self.wish(outcome), made)

    async def account(self, engine: Engine, wish: Wish) -> Account:
        """The account of a call that was made, at its end. An equal call of a lost one is the same task."""
        ours = [
            r
            for r in (await engine.list_tasks(limit=100, principal=LOCAL)).records
            if r.request.prompt == wish.request.prompt
        ]
        (record,) = ours
        record = await at_rest(engine, record)
        # That of a good one is, too, for two minutes, and by then so much time may have passed here.
        if record.state == "unknown":
            await self._ask_again(engine, wish, record)
        order = self.order(wish.request.prompt)
        return await account_of(order, Report(calls=[], records=[record]), self.gateways)

    async def _ask_again(self, engine: Engine, wish: Wish, record: TaskRecord) -> None:
        again = await engine.generate(wish)
        assert (again.deduplicated, again.record.task_id) == (True, record.task_id)


def _fault(ground: Ground, outcome: Outcome, account: Account) -> str | None:
    """What is wrong with the account of a row of the matrix."""
    (record,) = account.records
    reached = (len(account.jobs), len(account.posts))
    shown = (account.came, record.state, record.failure and record.failure.charged)
    expected: tuple[str, str, str | None]
    if outcome.taken == "refused":
        expected = ("refused", "failed", "no")
    elif outcome.accepted and "lists" in ground.abilities:
        expected = ("kept", "succeeded", None)
    else:
        expected = ("unknown", "unknown", "unknown")
    right = shown == expected and reached[0] == outcome.accepted and reached[1] <= 1
    return None if right else f"{outcome.name}: {shown}, jobs and POSTs {reached}, {record.failure}"


@each_ground("paid")
@pytest.mark.parametrize(
    "group",
    # Plain runs meet the proxies in tests/tasks/test_proxy_answers.py.
    [pytest.param(name, marks=pytest.mark.storm if "proxy" in name else ()) for name in GROUPS],
)
async def test_a_lost_answer_is_never_sent_again_and_told_truthfully(
    group: str, ground: Ground, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    outcomes = [each for each in GROUPS[group] if "polls" in ground.abilities or not each.only_jobs]
    trial = Trial(ground, tmp_path, gateways)
    with anyio.fail_after(120):
        async with trial.engine(IMPATIENT_SECONDS if group.endswith("slow") else PATIENT_SECONDS) as engine:
            for outcome in (each for each in outcomes if each.armed):
                await trial.send(engine, outcome)
            async with anyio.create_task_group() as calls:
                for outcome in (each for each in outcomes if not each.armed):
                    calls.start_soon(trial.send, engine, outcome)
            accounts = [(outcome, await trial.account(engine, trial.wish(outcome))) for outcome in outcomes]
    for outcome, account in accounts:
        tally.add(outcome.name, account)
    assert [fault for outcome, account in accounts if (fault := _fault(ground, outcome, account))] == []
    assert [r.method for r in await gateways.requests(ground.gateway)].count("POST") == len(outcomes)


@pytest.mark.storm
@pytest.mark.parametrize("first", GATEWAYS)
async def test_auto_pays_at_one_gateway_whatever_a_proxy_says_of_the_first(
    first: str, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    second = NEXT[first]
    accounts: list[Account] = []
    with anyio.fail_after(120):
        async with engine_over(tmp_path, gateways, first, second) as engine:
            for answer in PROXY_ANSWERS:
                wish = wish_for(answer, accepted=True)
                record = (await engine.generate(wish)).record
                again = await engine.generate(wish)
                record = await at_rest(engine, record)
                assert again.record.task_id == record.task_id
                both = [job for name in (first, second) for job in await gateways.jobs(name)]
                jobs = tuple(job for job in both if job.prompt == wish.request.prompt)
                accounts.append(Account(jobs, (), (record,)))
    for account in accounts:
        tally.add("auto over two gateways, the first behind a proxy", account)
    assert [len(account.jobs) for account in accounts] == [1] * len(PROXY_ANSWERS)
    lists = next(ground for ground in GROUNDS if ground.gateway == first and ground.kind == "video").abilities >= {
        "lists"
    }
    assert {account.came for account in accounts} == ({"kept"} if lists else {"unknown"})


@each_ground("paid")
@pytest.mark.parametrize("cut", [False, True], ids=["answered", "answer lost"])
async def test_a_task_cancelled_while_its_post_is_under_way_never_says_that_it_cost_nothing(
    cut: bool, ground: Ground, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    trial = Trial(ground, tmp_path, gateways)
    wish = trial.order("a red fox").wish
    await gateways.hold(ground.gateway, 1)
    with anyio.fail_after(60):
        async with trial.engine(PATIENT_SECONDS) as engine:
            called = await engine.generate(wish, answer_within_seconds=0)
            await gateways.wait_held(ground.gateway, 1)
            await engine.cancel(called.record.task_id, abandon=True, principal=LOCAL)
            await gateways.release(ground.gateway, cut=cut)
            record = await at_rest(engine, await engine.get(called.record.task_id, principal=LOCAL))
            account = await account_of(trial.order("a red fox"), Report(calls=[], records=[record]), gateways)
    tally.add(f"cancelled while the POST is under way, {'answer lost' if cut else 'answered'}", account)
    assert record.state == "cancelled"
    assert (len(account.jobs), len(account.posts)) == (1, 1)
    assert account.came in {"cancelled", "kept late"}, record


@contextmanager
def _a_port_that_lets_nobody_in() -> Generator[int]:
    """A listener whose queue is full, so that a further connection is never opened."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        waiting = [socket.socket() for _ in range(4)]
        try:
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            yield port
        finally:
            for each in waiting:
                each.close()


@each_ground("paid")
@pytest.mark.parametrize("fault", ["DNS failure", "connection refused", "TLS failure", "no connection in time"])
async def test_a_connection_that_never_opened_is_a_definite_refusal(
    fault: str, ground: Ground, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    trial = Trial(ground, tmp_path, gateways)
    plain = gateways.base_url(ground.gateway)
    with anyio.fail_after(30), _a_port_that_lets_nobody_in() as full:
        base_url = {
            "DNS failure": "http://gateway.invalid",
            "connection refused": gateways.closed_url,
            "TLS failure": plain.replace("http:", "https:"),
            "no connection in time": f"http://127.0.0.1:{full}",
        }[fault]
        async with trial.engine(IMPATIENT_SECONDS, base_url) as engine:
            record = (await engine.generate(trial.order("a red fox").wish)).record
            account = await account_of(trial.order("a red fox"), Report(calls=[], records=[record]), gateways)
    tally.add(fault, account)
    assert record.failure is not None
    assert (record.state, record.failure.charged, record.failure.retry_safe) == ("failed", "no", True)
    assert (len(account.jobs), len(account.posts)) == (0, 0)
