"""Records and outputs as a test wants them, past the rules that hold for everybody else."""

from collections.abc import Mapping

from rushes.domain.record import Output, TaskRecord


def altered(record: TaskRecord, changes: Mapping[str, object]) -> TaskRecord:
    """The record with these fields, whatever the life of a task allows."""
    return super(TaskRecord, record).model_copy(update=changes)  # pyright: ignore[reportReturnType]


def remeasured(output: Output, **facts: object) -> Output:
    """The output with other facts of its kept file."""
    assert output.kept is not None
    return output.model_copy(update={"kept": output.kept.model_copy(update=facts)})
