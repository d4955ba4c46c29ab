"""Whatever becomes of tasks, in whatever order, the ledger is what their records say and what gateways charged."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from rushes.domain.errors import Charged, GatewayUnavailable
from rushes.domain.failure import Failure, failure
from rushes.domain.job import Cost, Job, Observation, Plan, RemoteOutput, Submission
from rushes.domain.money import Estimate, Quote
from rushes.domain.record import TaskRecord
from rushes.tasks import life
from rushes.tasks.money.ledger import Standing, entry_of, line_of, lines_between, standing

from ..tasks.makers import START, a_record

Step = Callable[[TaskRecord], TaskRecord]

LATER = START + timedelta(minutes=1)
JOB = Job(job_id="job-1", model="m1")
RESULT = RemoteOutput(url="https://cdn.example/1.mp4")

amounts = st.integers(0, 5_000_000).map(lambda parts: Decimal(parts) / 1_000_000)
currencies = st.sampled_from(["USD", "EUR", "gate credits"])
costs = st.builds(Cost, amount=amounts, currency=currencies)
estimates = st.builds(Estimate, amount=amounts, currency=currencies, basis=st.just("configured"))
STATES: list[Charged] = ["yes", "no", "unknown"]
charged = st.sampled_from(STATES)


def _failed(money: Charged) -> Failure:
    return failure("provider_error", "it broke", charged=money)


failures = charged.map(_failed)
observations = st.one_of(
    st.builds(Observation, state=st.sampled_from(["queued", "running"]), cost=st.none() | costs),
    st.builds(Observation, state=st.just("succeeded"), outputs=st.just((RESULT,)), cost=st.none() | costs),
    st.builds(
        Observation,
        state=st.sampled_from(["failed", "cancelled"]),
        failure=st.none() | failures,
        cost=st.none() | costs,
    ),
)


def _seen(observation: Observation) -> Step:
    return lambda record: life.observed(record, observation, LATER)


def _accepted(observation: Observation) -> Step:
    return lambda record: life.accepted(record, Submission(job=JOB, observation=observation), LATER)


def _rerouted(estimate: Estimate | None) -> Step:
    plan = Plan(provider="other", model="m2", path="/jobs", body={})
    why = failure("rate_limited", "busy", charged="no")
    return lambda record: life.rerouted(record, why, plan, LATER, LATER, quote=Quote(estimate=estimate))


def _settled(amount: Decimal, currency: str) -> Step:
    return lambda record: life.settled_by_hand(record, amount, currency, LATER)


PLAIN: list[Step] = [
    lambda record: life.refused(record, failure("invalid_input", "no", charged="no"), LATER),
    lambda record: life.lost(record, life.answer_unknown(record), LATER, reconcilable=False),
    lambda record: life.lost(record, life.answer_unknown(record), LATER, reconcilable=True),
    lambda record: life.held(record, "busy", LATER, LATER, asked=True),
    lambda record: life.withdrawn(record, LATER),
    lambda record: life.cancel_asked(record, LATER),
    lambda record: life.attached(record, JOB, LATER, worker="w2"),
    lambda record: life.timed_out(record, LATER + timedelta(days=1)),
    lambda record: life.poll_failed(record, GatewayUnavailable("provider_error", "503"), LATER),
    lambda record: life.adopted(record, "w2", LATER),
]
steps: st.SearchStrategy[Step] = st.one_of(
    observations.map(_seen),
    observations.map(_accepted),
    st.one_of(st.none(), estimates).map(_rerouted),
    st.sampled_from(PLAIN),
    st.builds(_settled, amounts, currencies),
)


@settings(max_examples=150)
@given(st.none() | estimates, st.lists(steps, max_size=12))
def test_after_any_history_the_written_lines_are_what_the_record_says(
    estimate: Estimate | None, history: list[Step]
) -> None:
    record = a_record(estimate=estimate)
    (written,) = lines_between(None, record)
    for step in history:
        after = step(record)
        for line in lines_between(record, after):
            written = line
        record = after
        assert written == line_of(record)
        now = standing(record)
        assert min(now.spent, now.reserved) == 0
        assert max(now.spent, now.reserved) >= 0
        entry = entry_of(written)
        assert entry is not None
        assert entry.standing == now


@settings(max_examples=150)
@given(estimates, st.lists(steps, max_size=12), costs)
def test_a_cost_that_was_told_is_what_counts_at_the_end(estimate: Estimate, history: list[Step], cost: Cost) -> None:
    record = a_record(estimate=estimate)
    for step in history:
        record = step(record)
    if record.phase not in ("polling", "watching"):
        return
    done = Observation(state="succeeded", outputs=(RESULT,), cost=cost)
    ended = life.observed(record, done, LATER)
    assert standing(ended) == Standing(spent=cost.amount, currency=cost.currency, known="told")


@settings(max_examples=100)
@given(estimates, st.lists(steps, max_size=12))
def test_what_may_have_been_charged_is_never_let_go(estimate: Estimate, history: list[Step]) -> None:
    """As long as nobody said that it cost nothing, and nobody told a cost, the amount stays with the task."""
    record = a_record(estimate=estimate)
    for step in history:
        record = step(record)
    known = record.cost is not None or record.settlement is not None or record.estimate is None
    said_free = record.failure is not None and record.failure.charged == "no"
    if known or said_free or record.estimate is None:
        return
    now = standing(record)
    assert now.spent + now.reserved == record.estimate.amount
