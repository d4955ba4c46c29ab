"""kill -9 between question, consent, journal and POST: never a POST without consent, and never a dead end."""

import os
import pty
import signal
import subprocess
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ..cli.command import COMMAND, rushes
from ..forks import Forked, fork
from .consenting import ASKED, CALL, COSTS, Order, Report, posts_of, report_of

ROOT = Path(__file__).parents[2]
Helper = Forked | subprocess.Popen[bytes]

KILLED = -signal.SIGKILL
WAYS = ("auto", "legacy", "max_cost")
"""How consent comes: through either era of the protocol, or with the call."""


class Processes:
    """Orders them one after the other."""

    def __init__(self, helper: Helper, home: Path) -> None:
        self._helper = helper
        self.home = home
        self._count = 0

    def ends(self, **order: Any) -> tuple[Order, int]:
        """A process over this home, to its end; its exit code."""
        self._count += 1
        ordered = Order(home=self.home, name=f"life-{self._count}", **order)
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        self._helper.stdin.write(f"{ordered.model_dump_json()}\n".encode())
        self._helper.stdin.flush()
        return ordered, int(self._helper.stdout.readline())

    def report(self, **order: Any) -> Report:
        """What one that ends well says."""
        ordered, code = self.ends(**order)
        fault = self.home / f"{ordered.name}.fault"
        assert code == 0, fault.read_text("utf-8") if fault.exists() else code
        return Report.model_validate_json(report_of(ordered).read_bytes())

    def killed(self, way: str, at: str) -> None:
        """One whose call is agreed to in this way, and which dies there."""
        agreed = {"max_cost": float(COSTS)} if way == "max_cost" else {"era": way, "person": "accept"}
        _, code = self.ends(**agreed, kill_at=at)
        assert code == KILLED

    @property
    def posts(self) -> int:
        return posts_of(self.home)


@pytest.fixture(scope="module")
def helper() -> Generator[Helper]:
    with fork("tests.money.consenting", folder=ROOT, stderr=subprocess.DEVNULL) as process:
        yield process


@pytest.fixture
def processes(helper: Helper, tmp_path: Path) -> Processes:
    return Processes(helper, tmp_path)


def _reason(report: Report) -> object:
    why = report.answer["failure"]
    assert isinstance(why, dict)
    return why["reason"]


@pytest.mark.parametrize(
    ("way", "at"), [("auto", ASKED), ("legacy", ASKED), *((way, "journal.before") for way in WAYS)]
)
def test_what_was_not_journaled_left_nothing_and_is_asked_for_anew(processes: Processes, way: str, at: str) -> None:
    processes.killed(way, at)
    declined = processes.report(person="decline")
    assert (len(declined.questions), declined.answer["state"], declined.tasks) == (1, "cancelled", {})
    assert (declined.reserved, processes.posts) == (Decimal(0), 0)
    told = processes.report()
    step = told.answer["next"]
    assert _reason(told) == "confirmation_needed"
    assert isinstance(step, dict)
    assert step["arguments"] == {**CALL, "max_cost": float(COSTS)}
    agreed = processes.report(max_cost=float(COSTS))
    assert (agreed.answer["state"], agreed.reserved, processes.posts) == ("queued", COSTS, 1)


@pytest.mark.parametrize(
    ("way", "at", "posts"),
    # Once it is journaled the ways are one.
    [*((way, "journal.after", 0) for way in WAYS), ("legacy", "submit.before", 0), ("auto", "submit.after", 1)],
)
def test_what_was_journaled_is_never_sent_again_and_its_reservation_is_its_own(
    processes: Processes, way: str, at: str, posts: int
) -> None:
    processes.killed(way, at)
    again = processes.report()
    # Nobody knows whether the POST has left: it is told as lost, and the same call pays no second time.
    (task_id,) = again.tasks
    assert (again.answer["task_id"], again.answer["state"], again.answer["deduplicated"]) == (task_id, "unknown", True)
    assert (again.reserved, processes.posts) == (COSTS, posts)
    assert "job_id" in str(again.answer["failure"])
    # A person looks it up, and says that it was not charged: nothing is reserved any more, and consent is asked anew.
    settled = processes.report(settles=True, person="decline")
    assert (len(settled.questions), settled.answer["state"], settled.reserved) == (1, "cancelled", Decimal(0))
    assert (list(settled.tasks), processes.posts) == ([task_id], posts)
    agreed = processes.report(person="accept", era="legacy")
    assert (agreed.answer["state"], agreed.reserved, processes.posts) == ("queued", COSTS, posts + 1)


def test_a_terminal_that_is_closed_at_the_question_has_sent_and_reserved_nothing(isolated_environment: Path) -> None:
    home = isolated_environment
    home.mkdir(parents=True, exist_ok=True)
    prices = '[prices."yuto/veo3.1"]\ncurrency = "yuto credits"\nper_request = "12"\n'
    budget = '[budget]\ncurrency = "yuto credits"\nconfirm_above = "10"\n'
    (home / "rushes.toml").write_text(prices + budget, encoding="utf-8")
    keys = {"YUTO_API_KEY": "sk-test", "YUTO_BASE_URL": "http://127.0.0.1:9"}
    command = ("generate", "video", "a fox", "--model", "veo3.1", "--provider", "yuto")
    main, side = pty.openpty()
    environment = {**os.environ, **keys, "COLUMNS": "200", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [*COMMAND, *command], stdin=side, stdout=side, stderr=side, env=environment, start_new_session=True
    )
    os.close(side)
    try:
        seen = b""
        while b"[y/N]" not in seen:
            seen += os.read(main, 4096)
    finally:
        process.kill()
        process.wait()
        os.close(main)
    assert b"for about 12 yuto credits (as set in rushes.toml)?" in seen
    assert rushes("tasks", "--json").document["tasks"] == []
    assert rushes("spend", "--json").document == {"rows": [], "totals": []}
    again = rushes(*command, "--json", code=2, environment=keys).document
    assert (again["failure"]["reason"], again["failure"]["charged"]) == ("confirmation_needed", "no")
    assert again["next"]["arguments"]["max_cost"] == 12
