"""`list_models` stays short and says how to see more."""

import json

import pytest

from rushes.domain.model_facts import ModelFacts, OperationFacts
from rushes.domain.principal import LOCAL
from rushes.domain.request import Kind
from rushes.tasks.service import ModelOffer
from rushes.tools import LIST_MODELS, UNFILTERED_BYTES, ToolContext, ToolResult, already, call_tool

from .fake_service import FakeService

pytestmark = pytest.mark.anyio


def facts(model_id: str, **known: object) -> ModelFacts:
    return ModelFacts.model_validate({"id": model_id, "name": model_id, "kind": "video", "source": "test", **known})


async def listed(*offers: ModelOffer, **filters: str) -> ToolResult:
    service = FakeService()
    service.offers = offers
    return await call_tool(LIST_MODELS, ToolContext(opened=already(service), principal=LOCAL), filters)


async def test_a_model_is_shown_with_its_providers_and_its_limits_and_others_only_where_they_differ() -> None:
    rich = facts(
        "veo-3.1",
        durations_seconds=(4.0, 6.0, 8.0),
        aspect_ratios=("16:9", "9:16"),
        resolutions=("720p", "1080p"),
        reference_images_max=3,
        operations={"text": OperationFacts(), "references": OperationFacts(durations_seconds=(8.0,))},
    )
    poor = facts("google/veo-3.1", durations_seconds=(4.0, 6.0, 8.0), resolutions=("720p",), certainty="live")

    answer = await listed(ModelOffer("veo-3.1", "video", (("apixo", rich, True), ("yuto", poor, False))))

    assert answer.document == {
        "models": [
            {
                "name": "veo-3.1",
                "kind": "video",
                "providers": [
                    {"provider": "apixo", "usable": True},
                    {
                        "provider": "yuto",
                        "usable": False,
                        "id": "google/veo-3.1",
                        "resolutions": ["720p"],
                        "certainty": "live",
                        "limits_known": False,
                        "not_known": ["aspect_ratios", "operation_limits", "operations", "reference_images_max"],
                    },
                ],
                "operations": ["references", "text"],
                "durations_seconds": [4, 6, 8],
                "aspect_ratios": ["16:9", "9:16"],
                "resolutions": ["720p", "1080p"],
                "reference_images_max": 3,
                "operation_limits": {"references": {"durations_seconds": [8]}},
                "certainty": "documented",
            }
        ],
        "total": 1,
    }


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ({"duration_seconds_min": 4, "duration_seconds_max": 15}, "4-15"),
        ({"duration_seconds_max": 30}, "up to 30"),
        ({"duration_seconds_min": 2}, "from 2"),
    ],
)
async def test_a_range_of_durations_is_shown_as_one(known: dict[str, object], shown: str) -> None:
    answer = await listed(ModelOffer("m", "video", (("apixo", facts("m", **known), True),)))

    assert json.dumps(answer.document).count(f'"durations_seconds": "{shown}"') == 1


@pytest.mark.parametrize("count", [0, 1, 40, 400, 5000])
async def test_without_a_filter_the_answer_is_at_most_6_kb_whatever_the_catalogue_holds(count: int) -> None:
    kinds: tuple[Kind, ...] = ("video", "image", "audio")
    offers = [
        ModelOffer(f"model-{n}", kinds[n % 3], (("apixo", facts(f"model-{n}", voices=("a" * 9,) * 99), n % 2 == 0),))
        for n in range(count)
    ]

    answer = await listed(*offers)

    assert len(json.dumps(answer.document)) <= UNFILTERED_BYTES
    assert answer.document["total"] == count
    if count >= 40:
        assert "give kind, provider, query or fits" in str(answer.document["note"])


async def test_a_shortened_list_shows_usable_models_of_every_kind_first() -> None:
    kinds: tuple[Kind, ...] = ("audio", "image", "video")
    offers = [
        ModelOffer(f"{kind}-{n}", kind, (("apixo", facts(f"{kind}-{n}"), n >= 200),))
        for kind in kinds
        for n in range(250)
    ]

    models = (await listed(*offers)).document["models"]

    assert isinstance(models, list)
    assert [(model["name"], model["kind"]) for model in models[:3] if isinstance(model, dict)] == [
        ("video-200", "video"),
        ("image-200", "image"),
        ("audio-200", "audio"),
    ]
    assert isinstance(models[-1], dict)
    assert {*models[-1]} == {"name", "kind", "usable_at"}


async def test_a_model_nobody_can_use_yet_says_whose_key_it_needs() -> None:
    many = [
        ModelOffer(f"m-{n}", "video", (("yuto", facts(f"m-{n}", voices=("v" * 99,) * 24), False),)) for n in range(9)
    ]

    models = (await listed(*many)).document["models"]

    assert isinstance(models, list)
    assert models[0] == {"name": "m-0", "kind": "video", "needs_key_of": ["yuto"]}


async def test_a_filter_is_passed_on_and_an_empty_answer_says_so() -> None:
    offer = ModelOffer("veo-3.1", "video", (("apixo", facts("veo-3.1"), True),))

    assert (await listed(offer, query="veo", kind="video", provider="apixo")).document["total"] == 1
    nothing = await listed(offer, kind="audio")

    assert nothing.document == {
        "models": [],
        "total": 0,
        "note": "No model matches; call without filters to see what there is.",
    }


async def test_models_that_can_be_used_show_their_limits_also_where_others_leave_no_room_for_all() -> None:
    usable = ModelOffer("mine", "video", (("sandbox", facts("mine", durations_seconds=(5.0,)), True),))
    others = [
        ModelOffer(f"m-{n}", "video", (("yuto", facts(f"m-{n}", voices=("v" * 99,) * 24), False),)) for n in range(9)
    ]

    answer = (await listed(*others, usable, kind="video")).document

    models = answer["models"]
    assert isinstance(models, list)
    assert models[:2] == [
        {
            "name": "mine",
            "kind": "video",
            "providers": [{"provider": "sandbox", "usable": True}],
            "durations_seconds": [5],
            "certainty": "documented",
        },
        {"name": "m-0", "kind": "video", "needs_key_of": ["yuto"]},
    ]
    assert len(models) == answer["total"] == 10
    assert "The rest in short" in str(answer["note"])
