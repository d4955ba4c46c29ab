"""A record's document leaves out what is null, and is the same record again when it is read."""

from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel, JsonValue
from pydantic.fields import FieldInfo

from rushes.domain.job import Job
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest
from rushes.tasks.journal import from_document, to_document

from .makers import a_record


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _models_of_a_record() -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()
    left: list[type[BaseModel]] = [TaskRecord]
    while left:
        model = left.pop()
        if model not in found:
            found.add(model)
            left += [each for field in model.model_fields.values() for each in _models_in(field.annotation)]
    return found


def _may_be_null(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation) or str(field.annotation) in ("JsonValue", "typing.Any")


def test_whatever_of_a_record_may_be_null_is_null_where_its_document_leaves_it_out() -> None:
    models = _models_of_a_record()
    assert {TaskRecord, GenerationRequest, Job} <= models
    otherwise = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if _may_be_null(field) and (field.is_required() or field.get_default(call_default_factory=True) is not None)
    ]
    assert otherwise == []


def test_a_document_holds_no_null_but_those_of_the_gateway_s_own_fields() -> None:
    options: dict[str, JsonValue] = {"seed": None, "shots": [None, {"camera": None}]}
    record = a_record(request=GenerationRequest(kind="video", prompt="a fox", provider_options=options))
    document = to_document(record)
    assert None not in document.values()
    asked: JsonValue = {"kind": "video", "prompt": "a fox", "model": "auto", "media": [], "provider_options": options}
    assert document["request"] == asked
    assert from_document(document) == record
