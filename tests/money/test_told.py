"""What gateways and people say of money, in whatever order: the last word counts, and nothing counts twice."""

from decimal import Decimal

import pytest
from pydantic import JsonValue

from rushes.domain.failure import failure
from rushes.domain.job import Cost, Observation, RemoteOutput, Submission
from rushes.domain.money import Estimate
from rushes.domain.record import TaskRecord
from rushes.tasks import life
from rushes.tasks.money.ledger import Standing, standing

from ..altered import altered
from ..providers.replies import job, make_format, reply
from ..providers.test_sentences import failure_of, in_a_failed_task
from ..tasks.makers import FAILED, JOB, QUEUED, RUNNING, START, SUCCEEDED, a_record, polling

ESTIMATE = Estimate(amount=Decimal("0.5"), currency="USD", basis="configured")
UNKNOWN = failure("provider_error", "it broke", charged="unknown")
BROKE = Observation(state="failed", failure=UNKNOWN)


def _told(seen: Observation, amount: str) -> Observation:
    return seen.model_copy(update={"cost": Cost(amount=Decimal(amount))})


def _after(record: TaskRecord, *looks: Observation) -> TaskRecord:
    for look in looks:
        record = life.observed(record, look, START)
    return record


def _lost() -> TaskRecord:
    record = a_record(estimate=ESTIMATE)
    return life.lost(record, life.answer_unknown(record), START, reconcilable=False)


def _settled(record: TaskRecord, amount: str) -> TaskRecord:
    return life.settled_by_hand(record, Decimal(amount), "USD", START)


def _spent(record: TaskRecord) -> tuple[str, str]:
    now = standing(record)
    return f"{now.spent:f}", f"{now.reserved:f}"


# by gateways


@pytest.mark.parametrize(
    ("looks", "spent", "reserved"),
    [
        ([_told(RUNNING, "0.4")], "0", "0.4"),
        ([_told(RUNNING, "0.4"), _told(RUNNING, "0.6")], "0", "0.6"),
        ([_told(RUNNING, "0.4"), _told(SUCCEEDED, "0.3")], "0.3", "0"),
        ([_told(RUNNING, "0.4"), SUCCEEDED], "0.4", "0"),
        # Told while it ran, and given back at the end.
        ([_told(RUNNING, "0.4"), FAILED], "0", "0"),
        ([_told(RUNNING, "0.4"), BROKE], "0.4", "0"),
        ([_told(BROKE, "0.2")], "0.2", "0"),
        ([_told(BROKE, "0")], "0", "0"),
        ([_told(FAILED, "0.2")], "0.2", "0"),
        ([BROKE], "0", "0.5"),
    ],
)
def test_the_last_cost_that_was_told_counts_and_only_that(looks: list[Observation], spent: str, reserved: str) -> None:
    assert _spent(_after(polling(estimate=ESTIMATE), *looks)) == (spent, reserved)


@pytest.mark.parametrize(
    ("seen", "charged"), [(_told(BROKE, "0.2"), "yes"), (_told(FAILED, "0.2"), "yes"), (_told(BROKE, "0"), "no")]
)
def test_what_a_failure_says_of_the_money_is_what_its_cost_says(seen: Observation, charged: str) -> None:
    record = _after(polling(estimate=ESTIMATE), seen)
    assert record.failure is not None
    assert record.failure.charged == charged


def test_a_cost_that_is_told_after_the_end_is_kept() -> None:
    """LLMGateway tells it once the job is billed, which may be a moment after it is completed."""
    output = RemoteOutput(url="https://cdn.example/1.mp4")
    done = _after(polling(estimate=ESTIMATE), Observation(state="succeeded", outputs=(output,)))
    assert (done.phase, standing(done)) == ("keeping", Standing(Decimal("0.5"), currency="USD", known="assumed"))
    again = life.refreshed(done, _told(Observation(state="succeeded", outputs=(output,)), "0.4"), START)
    assert standing(again) == Standing(Decimal("0.4"), currency="USD", known="told")
    assert life.refreshed(again, Observation(state="succeeded", outputs=(output,)), START) is again


PARTLY = (
    "Half of your credits were refunded",
    "50% of the credits have been refunded",
    "Credits were partially refunded",
    "Some of the credits were returned to your account",
    "部分积分已退还",
)


@pytest.mark.parametrize("text", PARTLY)
def test_what_was_given_back_in_part_was_charged_by_nobody_knows_how_much(text: str) -> None:
    for wire, body in in_a_failed_task(text).values():
        if wire != "llmgateway":
            assert (wire, failure_of(wire, body, frozenset()).charged) == (wire, "unknown")


@pytest.mark.parametrize(
    "text", ["100% of the credits have been refunded", "Your credits have been refunded", "积分已退还"]
)
def test_what_was_given_back_costs_nothing_at_any_gateway(text: str) -> None:
    for wire, body in in_a_failed_task(text).values():
        seen = make_format(wire).observation(job(), reply(body))
        ended = _after(polling(estimate=ESTIMATE), seen)
        assert ended.failure is not None
        assert (wire, ended.failure.charged, _spent(ended)) == (wire, "no", ("0", "0"))


@pytest.mark.parametrize("cost", [0.3, 0])
def test_a_number_counts_for_more_than_words(cost: float) -> None:
    data: dict[str, JsonValue] = {"task_id": "t", "task_status": "failed", "fail_reason": "Credits refunded"}
    seen = make_format("shuyou").observation(job(), reply({"code": "0", "data": data, "usage": {"cost": cost}}))
    assert _spent(_after(polling(estimate=ESTIMATE), seen)) == (f"{cost or 0}", "0")


# by people


def test_a_job_that_is_handed_back_is_reserved_again_whatever_was_said_of_it() -> None:
    settled = _settled(_lost(), "0")
    assert _spent(settled) == ("0", "0")
    attached = life.attached(settled, JOB, START, worker="w2")
    assert (attached.state, _spent(attached)) == ("running", ("0", "0.5"))
    assert _spent(_after(attached, SUCCEEDED)) == ("0.5", "0")
    assert _spent(_after(attached, _told(SUCCEEDED, "0.4"))) == ("0.4", "0")
    assert _spent(_after(attached, FAILED)) == ("0", "0")


def _given_up() -> TaskRecord:
    """Timed out here, and watched: the gateway may still end it."""
    record = polling(estimate=ESTIMATE, deadline_at=START)
    for _ in range(3):
        record = life.timed_out(record, START)
    assert (record.phase, record.state) == ("watching", "failed")
    return record


@pytest.mark.parametrize(
    ("said", "late", "spent"),
    [
        ("0", SUCCEEDED, "0.5"),
        ("0", _told(SUCCEEDED, "0.4"), "0.4"),
        ("0", FAILED, "0"),
        ("0", BROKE, "0"),
        ("0.3", SUCCEEDED, "0.3"),
        ("0.3", _told(SUCCEEDED, "0.4"), "0.4"),
        ("0.3", FAILED, "0"),
        ("0.3", BROKE, "0.3"),
        ("0.3", QUEUED, "0.3"),
    ],
)
def test_a_persons_word_counts_until_the_gateway_says_otherwise(said: str, late: Observation, spent: str) -> None:
    assert _spent(_after(_settled(_given_up(), said), late)) == (spent, "0")


def test_a_person_may_say_more_than_once_and_after_the_gateway() -> None:
    done = _after(polling(estimate=ESTIMATE), _told(SUCCEEDED, "0.4"))
    for amount in ("0", "0.35", "1"):
        done = _settled(done, amount)
        assert _spent(done) == (amount, "0")
    assert done.cost == Cost(amount=Decimal("0.4"))


def test_an_answer_that_comes_after_a_settlement_is_no_second_charge() -> None:
    late = life.accepted_late(_settled(_lost(), "0.3"), Submission(job=JOB, observation=QUEUED), START)
    assert (late.phase, _spent(late)) == ("watching", ("0.3", "0"))
    assert _spent(_after(late, _told(SUCCEEDED, "0.4"))) == ("0.4", "0")


def test_what_is_settled_in_another_currency_counts_there_alone() -> None:
    settled = life.settled_by_hand(_lost(), Decimal(12), "yuto credits", START)
    assert standing(settled) == Standing(Decimal(12), currency="yuto credits", known="by hand")
    assert standing(altered(settled, {"settlement": None})).currency == "USD"
