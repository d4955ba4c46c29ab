"""A shape or a resolution may be said in the usual words; how it was read is told."""

from typing import Any

import pytest

from rushes.domain.principal import LOCAL
from rushes.tools import GENERATE_IMAGE, GENERATE_VIDEO, ToolContext, ToolResult, ToolSpec, already, call_tool

from .fake_service import FakeService

pytestmark = pytest.mark.anyio


async def called(spec: ToolSpec[Any, Any], service: FakeService, **arguments: object) -> ToolResult:
    context = ToolContext(opened=already(service), principal=LOCAL)
    answer = await call_tool(spec, context, {"prompt": "a fox", **arguments})
    assert isinstance(answer, ToolResult)
    return answer


@pytest.mark.parametrize(
    ("word", "ratio"),
    [
        ("landscape", "16:9"),
        ("Widescreen", "16:9"),
        ("horizontal", "16:9"),
        ("portrait", "9:16"),
        (" vertical ", "9:16"),
        ("square", "1:1"),
        ("ultrawide", "21:9"),
        ("portrait-4-3", "3:4"),
        ("landscape_4_3", "4:3"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_usual_word_for_a_shape_is_taken_and_told(word: str, ratio: str, dry_run: bool) -> None:
    service = FakeService()
    answer = await called(GENERATE_VIDEO, service, aspect_ratio=word, dry_run=dry_run)

    assert f"aspect_ratio {word.strip()!r} was read as {ratio}." in str(answer.document["warnings"])
    assert [wish.request.aspect_ratio for wish in service.wishes] == ([] if dry_run else [ratio])


@pytest.mark.parametrize(("word", "tier"), [("HD", "720p"), ("full hd", "1080p"), ("FHD", "1080p"), ("UHD", "4k")])
async def test_a_usual_word_for_a_resolution_is_taken_and_told(word: str, tier: str) -> None:
    service = FakeService()
    answer = await called(GENERATE_VIDEO, service, resolution=word)

    assert [wish.request.resolution for wish in service.wishes] == [tier]
    assert f"resolution {word!r} was read as {tier}." in str(answer.document["warnings"])


async def test_a_value_in_the_tools_own_words_is_not_told_of() -> None:
    answer = await called(GENERATE_VIDEO, FakeService(), aspect_ratio="16x9", resolution="1080")
    assert "warnings" not in answer.document


@pytest.mark.parametrize(("given", "ratio"), [("portrait", "9:16"), ("square", "1:1"), ("16:9", "16:9")])
async def test_a_shape_that_is_given_for_pixels_leads_to_the_aspect_ratio(given: str, ratio: str) -> None:
    answer = await called(GENERATE_IMAGE, FakeService(), size=given)
    assert f"for a shape use aspect_ratio {ratio}" in str(answer.document)


async def test_too_few_pixels_are_no_shape() -> None:
    answer = await called(GENERATE_IMAGE, FakeService(), size="64x64")
    assert "WIDTHxHEIGHT in pixels such as 1024x1024." in str(answer.document)


async def test_another_word_is_refused_with_the_form() -> None:
    answer = await called(GENERATE_VIDEO, FakeService(), aspect_ratio="roundish")
    assert "must be W:H such as 16:9, 9:16 or 1:1, or auto" in str(answer.document)
