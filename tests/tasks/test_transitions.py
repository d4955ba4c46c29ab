"""A generation's life: what each observation makes of a record."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.errors import GatewayUnavailable, OutputExpired, OutputRejected, OutputUnavailable
from rushes.domain.failure import failure
from rushes.domain.job import SUCCESS_WITHOUT_OUTPUT, Job, Observation, Plan, RemoteOutput, Submission
from rushes.domain.record import FINAL, KeptMedia, TaskRecord
from rushes.tasks import life as t

from .makers import ACCEPTED, CANCELLED, FAILED, JOB, QUEUED, RUNNING, START, SUCCEEDED, a_record, polling

LATER = START + timedelta(seconds=30)
REFUSAL = failure("invalid_input", "no such size", charged="no")
LOSS = failure("outcome_unknown", "lost", charged="unknown")


def test_an_accepted_submission_is_polled() -> None:
    record = t.accepted(a_record(), ACCEPTED, LATER)
    assert (record.state, record.phase, record.job) == ("queued", "polling", JOB)
    assert record.open


def test_a_submission_answered_with_the_medium_is_done_at_once() -> None:
    outputs = (RemoteOutput(content=b"x", mime_type="image/png"),)
    answer = Submission(job=JOB, observation=Observation(state="succeeded", outputs=outputs))
    record = t.accepted(a_record(), answer, LATER, {0: KeptMedia(path="/out/1.png", bytes=1)})
    assert (record.state, record.phase, record.open) == ("succeeded", "done", False)
    assert record.outputs[0].path == "/out/1.png"


def test_a_definite_refusal_ends_the_task_with_its_reason() -> None:
    record = t.refused(a_record(), REFUSAL, LATER)
    assert (record.state, record.phase, record.failure) == ("failed", "done", REFUSAL)
    assert record.finished_at == LATER


def test_a_reroute_remembers_who_refused_and_stays_unsubmitted() -> None:
    plan = Plan(provider="other", model="veo3", path="/v1", body={})
    record = t.rerouted(a_record(), REFUSAL, plan, LATER + timedelta(hours=1), LATER)
    assert (record.provider, record.model, record.phase, record.job) == ("other", "veo3", "submitting", None)
    assert record.tried[0].provider == "gate"


def test_a_lost_answer_is_unknown_where_the_gateway_cannot_list_its_jobs() -> None:
    record = t.lost(a_record(), LOSS, LATER, reconcilable=False)
    assert (record.state, record.failure, record.open) == ("unknown", LOSS, False)


def test_a_lost_answer_is_searched_for_where_the_gateway_lists_its_jobs() -> None:
    searching = t.lost(a_record(), LOSS, LATER, reconcilable=True)
    assert (searching.state, searching.phase) == ("queued", "reconciling")
    found = t.found(searching, JOB, LATER)
    assert (found.state, found.phase, found.job) == ("queued", "polling", JOB)
    assert "lost" in found.warnings[0]


def test_the_search_for_a_lost_job_ends_as_unknown_after_its_time() -> None:
    searching = t.lost(a_record(), LOSS, LATER, reconcilable=True)
    again = t.not_found(searching, LOSS, LATER, next_look_at=LATER)
    assert again.phase == "reconciling"
    ended = t.not_found(searching, LOSS, START + t.RECONCILE_FOR, next_look_at=LATER)
    assert (ended.state, ended.phase) == ("unknown", "done")


def test_progress_never_goes_back() -> None:
    record = t.observed(polling(), RUNNING, LATER)
    assert record.progress == 0.4
    assert t.observed(record, Observation(state="running", progress=0.1), LATER).progress == 0.4


def test_a_success_with_urls_is_succeeded_and_still_to_be_kept() -> None:
    record = t.observed(polling(), SUCCEEDED, LATER)
    assert (record.state, record.phase, record.settled) == ("succeeded", "keeping", False)


def test_a_late_success_keeps_the_output_and_never_overwrites_cancelled() -> None:
    given_up = t.cancelled(polling(), LATER, at_gateway=False, ended=False, charged="unknown")
    assert (given_up.state, given_up.phase) == ("cancelled", "watching")
    late = t.observed(given_up, SUCCEEDED, LATER)
    assert (late.state, late.phase, len(late.outputs)) == ("cancelled", "keeping", 1)
    assert late.failure is not None
    assert late.failure.charged == "yes"
    assert late.failure.hint == t.FINISHED_AFTER_ALL
    assert "kept" in late.warnings[0]


def test_a_cancelled_job_is_not_advised_to_be_made_again_as_long_as_it_may_be_charged() -> None:
    given_up = t.cancelled(polling(), LATER, at_gateway=False, ended=False, charged="unknown")
    assert given_up.failure is not None
    assert "second charge" in given_up.failure.hint
    free = Observation(state="cancelled", failure=failure("cancelled", "Stopped.", charged="no"))
    ended = t.observed(given_up, free, LATER)
    assert ended.failure is not None
    assert ended.failure.charged == "no"
    assert "second charge" not in ended.failure.hint


def test_a_cancel_during_submission_still_records_the_job_and_watches_it() -> None:
    given_up = t.cancelled(a_record(), LATER, at_gateway=False, ended=False, charged="unknown")
    assert (given_up.state, given_up.phase) == ("cancelled", "submitting")
    answered = t.accepted(given_up, ACCEPTED, LATER)
    assert (answered.state, answered.phase, answered.job) == ("cancelled", "watching", JOB)


def test_a_success_without_output_is_told_after_some_looks_and_watched_like_a_job_that_timed_out() -> None:
    empty = Observation(state="running", notes=(SUCCESS_WITHOUT_OUTPUT,))
    record = polling()
    for _ in range(t.EMPTY_SUCCESSES_TOLD):
        assert record.warnings == ()
        record = t.observed(record, empty, LATER)
    assert record.state == "running"
    assert "no output yet" in record.warnings[0]
    ended = _overdue(t.observed(record, empty, LATER), START + timedelta(hours=1))
    assert ended.failure is not None
    assert (ended.state, ended.phase, ended.failure.charged) == ("failed", "watching", "unknown")
    assert ended.failure.reason == "provider_error"
    late = t.observed(ended, SUCCEEDED, START + timedelta(hours=5))
    assert (late.phase, [output.remote.url for output in late.outputs]) == ("keeping", ["https://cdn.example/1.mp4"])
    assert ended.warnings == record.warnings


def test_the_deadline_fails_with_timeout_and_keeps_watching_for_a_late_result() -> None:
    record = polling()
    assert t.timed_out(record, START + timedelta(minutes=59)) is record
    ended = _overdue(record, START + timedelta(hours=1))
    assert ended.failure is not None
    assert (ended.state, ended.failure.reason, ended.failure.charged) == ("failed", "timeout", "unknown")
    assert ended.phase == "watching"
    late = t.observed(ended, SUCCEEDED, START + timedelta(hours=2))
    assert (late.state, late.phase) == ("failed", "keeping")
    assert t.timed_out(ended, START + timedelta(hours=1) + t.WATCH_FOR).phase == "watching"
    assert _overdue(ended, START + timedelta(hours=1) + t.WATCH_FOR).phase == "done"


def _overdue(record: TaskRecord, now: datetime) -> TaskRecord:
    for _ in range(t.OVERDUE_LOOKS):
        record = t.timed_out(record, now)
    return record


def test_a_clock_that_jumps_past_the_deadline_and_back_ends_nothing() -> None:
    jumped = START + timedelta(days=1)
    record = polling()
    for _ in range(10):
        for now in [jumped] * (t.OVERDUE_LOOKS - 1) + [LATER]:
            record = t.timed_out(t.observed(record, RUNNING, now), now)
    assert (record.state, record.phase) == ("running", "polling")


@pytest.mark.parametrize(
    "record", [polling(), t.cancelled(polling(), LATER, at_gateway=False, ended=False, charged="unknown")]
)
def test_failed_looks_after_a_sleep_end_nothing_before_the_network_is_back(record: TaskRecord) -> None:
    awake = START + timedelta(hours=12)
    for _ in range(t.POLL_ERRORS_PATIENCE):
        record = t.timed_out(t.poll_failed(record, GatewayUnavailable("provider_error", "no network"), awake), awake)
    late = t.timed_out(t.observed(record, SUCCEEDED, awake), awake)
    assert (late.phase, len(late.outputs)) == ("keeping", 1)


def test_a_job_that_can_never_be_looked_at_is_given_up_in_the_end() -> None:
    now = START + timedelta(hours=2)
    for record, state in ((polling(), "failed"), (t.lost(a_record(), LOSS, LATER, reconcilable=True), "unknown")):
        ended = record
        for _ in range(t.POLL_ERRORS_PATIENCE + t.OVERDUE_LOOKS):
            ended = t.timed_out(t.poll_failed(ended, GatewayUnavailable("provider_error", "502"), now), now)
        assert ended.failure is not None
        assert (ended.state, ended.failure.charged) == (state, "unknown")


def test_failed_looks_never_end_a_task_and_tell_what_a_person_can_cure() -> None:
    record = polling()
    for _ in range(50):
        record = t.poll_failed(record, GatewayUnavailable("unauthorized", "the key is wrong"), LATER)
    assert (record.state, record.poll_errors) == ("queued", 50)
    assert len(record.warnings) == 1


def test_an_output_is_tried_again_until_its_url_expires() -> None:
    record = t.observed(polling(), SUCCEEDED, LATER)
    record = t.keep_failed(record, 0, OutputUnavailable("502"), LATER)
    first = record.outputs[0]
    assert (first.keeping.status, first.keeping.after, record.settled) == ("pending", LATER + t.KEEP_RETRY_FIRST, True)
    for late in (t.KEEP_GIVE_UP, t.KEEP_GIVE_UP + t.KEEP_RETRY_LONGEST):
        assert record.outputs[0].keeping.status == "pending"
        record = t.keep_failed(record, 0, OutputUnavailable("502"), START + timedelta(hours=1) + late)
    assert record.outputs[0].keeping.status == "failed"
    assert (record.state, record.phase, record.outputs[0].remote.url) == (
        "succeeded",
        "done",
        "https://cdn.example/1.mp4",
    )
    assert (record.outputs[0].keeping.problem or "").startswith("result_expired")


def test_an_expiry_that_was_past_when_the_output_was_told_of_does_not_end_the_tries() -> None:
    (output,) = SUCCEEDED.outputs
    stale = SUCCEEDED.model_copy(
        update={"outputs": (output.model_copy(update={"expires_at": START - timedelta(days=300)}),)}
    )
    record = t.observed(polling(), stale, LATER)
    for minutes in range(5):
        record = t.keep_failed(record, 0, OutputUnavailable("502"), LATER + timedelta(minutes=minutes))
    assert record.outputs[0].keeping.status == "pending"


@pytest.mark.parametrize("error", [OutputExpired("404"), OutputRejected("HTML instead of a video")])
def test_a_gone_or_wrong_output_is_given_up_after_a_few_tries(error: OutputExpired | OutputRejected) -> None:
    record = t.observed(polling(), SUCCEEDED, LATER)
    for _ in range(t.KEEP_REFUSALS_MAX):
        assert record.phase == "keeping"
        record = t.keep_failed(record, 0, error, LATER)
    assert (record.state, record.phase, record.outputs[0].keeping.status) == ("succeeded", "done", "failed")


def test_an_attempt_planned_far_ahead_by_a_wrong_clock_is_due() -> None:
    record = t.observed(polling(), SUCCEEDED, LATER)
    failed = t.keep_failed(record, 0, OutputUnavailable("502"), LATER).outputs[0]
    assert not t.keep_due(failed, LATER)
    assert t.keep_due(failed, LATER + t.KEEP_RETRY_FIRST)
    assert t.keep_due(failed, LATER - timedelta(days=1))


def test_outputs_beyond_the_bound_are_left_out_and_said_so() -> None:
    flood = SUCCEEDED.model_copy(update={"outputs": SUCCEEDED.outputs * 5000})
    assert t.bounded(SUCCEEDED) is SUCCEEDED
    record = t.observed(polling(), t.bounded(flood), LATER)
    assert len(record.outputs) == t.OUTPUTS_MAX
    assert "5000" in record.warnings[0]


def test_a_job_found_for_two_tasks_is_given_back_by_one() -> None:
    searching = t.lost(a_record(), LOSS, LATER, reconcilable=True)
    found = t.found(searching, JOB, LATER)
    assert found.reconciled
    back = t.given_back(found, LATER, next_look_at=LATER)
    assert (back.phase, back.job, back.reconciled) == ("reconciling", None, False)
    looked_at = t.observed(found, RUNNING, LATER)
    assert t.given_back(looked_at, LATER, next_look_at=LATER) is looked_at


@pytest.mark.parametrize("reconcilable", [True, False])
def test_an_answer_that_comes_after_a_takeover_is_not_thrown_away(reconcilable: bool) -> None:
    taken_over = t.lost(a_record(worker="w2"), LOSS, LATER, reconcilable=reconcilable)
    late = t.accepted_late(taken_over, ACCEPTED, LATER)
    assert (late.job, late.worker, late.open) == (JOB, "w2", True)
    ended = t.observed(late, SUCCEEDED, LATER)
    assert (ended.state, ended.phase) == ("succeeded" if reconcilable else "unknown", "keeping")
    assert t.accepted_late(ended, Submission(job=Job(job_id="other", model="veo"), observation=QUEUED), LATER) is ended


def test_fresh_urls_replace_those_of_outputs_still_to_be_kept() -> None:
    record = t.observed(polling(), SUCCEEDED, LATER)
    fresh = Observation(state="succeeded", outputs=(RemoteOutput(url="https://cdn.example/signed-anew"),))
    assert t.refreshed(record, fresh, LATER).outputs[0].remote.url == "https://cdn.example/signed-anew"


def test_warnings_are_bounded_cleaned_and_said_once() -> None:
    record = t.with_warnings(a_record(), ["a\x00b", "a\x00b", "c" * 1000], LATER)
    assert record.warnings[0] == "a b"
    assert len(record.warnings) == 2
    assert len(record.warnings[1]) == 500
    full = t.with_warnings(record, [f"warning {n}" for n in range(100)], LATER)
    assert len(full.warnings) == t.WARNINGS_MAX


OBSERVATIONS = st.sampled_from([QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED])


def _step(record: TaskRecord, choice: int, seen: Observation, seconds: int) -> TaskRecord:
    now = record.updated_at + timedelta(seconds=seconds)
    steps = (
        lambda: t.accepted(record, Submission(job=JOB, observation=seen), now),
        lambda: t.refused(record, REFUSAL, now),
        lambda: t.lost(record, LOSS, now, reconcilable=seconds % 2 == 0),
        lambda: t.found(record, Job(job_id="j2", model="veo"), now),
        lambda: t.not_found(record, LOSS, now, next_look_at=now),
        lambda: t.observed(record, seen, now),
        lambda: t.poll_failed(record, GatewayUnavailable("provider_error", "502"), now),
        lambda: t.timed_out(record, now),
        lambda: t.cancel_asked(record, now),
        lambda: t.cancelled(record, now, at_gateway=True, ended=seconds % 2 == 0, charged="unknown"),
        lambda: t.withdrawn(record, now),
        lambda: t.keeping_off(record, now),
        lambda: t.kept(record, 0, KeptMedia(path="/x"), now) if record.outputs else record,
        lambda: t.keep_failed(record, 0, OutputExpired("404"), now) if record.outputs else record,
        lambda: t.adopted(record, f"w{seconds}", now),
        lambda: t.accepted_late(record, Submission(job=JOB, observation=seen), now),
    )
    return steps[choice % len(steps)]()


@given(st.lists(st.tuples(st.integers(0, 15), OBSERVATIONS, st.integers(0, 4000)), max_size=30))
def test_no_order_of_events_changes_a_final_state_or_loses_a_job_or_an_output(
    events: list[tuple[int, Observation, int]],
) -> None:
    record = a_record()
    for choice, seen, seconds in events:
        after = _step(record, choice, seen, seconds)
        if record.state in FINAL:
            assert after.state == record.state
            assert after.finished_at == record.finished_at
        assert after.open == (after.phase != "done")
        assert record.job is None or after.job is not None
        assert len(after.outputs) >= len(record.outputs)
        assert (after.finished_at is not None) == after.final
        assert (after.progress or 0) >= (record.progress or 0)
        if after.state in ("failed", "cancelled", "unknown"):
            assert after.failure is not None
            assert after.failure.hint
        if after.state == "succeeded":
            assert after.outputs
        assert TaskRecord.model_validate(after.model_dump(mode="json", by_alias=True)) == after
        record = after
