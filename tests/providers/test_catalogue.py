"""How an agent's name for a model finds a gateway's own id, and that the data files are sound."""

from importlib.resources import files

import pytest

from rushes.providers.fact_files import find_model, join_models, load_facts

from .requests import model

FORMATS = sorted(path.name.removesuffix(".toml") for path in files("rushes.providers").joinpath("facts").iterdir())


@pytest.mark.parametrize("wire", FORMATS)
def test_every_row_of_a_data_file_has_a_source_and_an_input_list(wire: str) -> None:
    for row in load_facts(wire).models:
        assert len(row.source) > 5, row.id
        assert row.inputs is not None, row.id
        assert row.operations, row.id


@pytest.mark.parametrize("wire", FORMATS)
def test_a_name_stands_for_one_row_and_every_default_exists(wire: str) -> None:
    facts = load_facts(wire)
    names = [(row.kind, row.name) for row in facts.models]
    assert len(names) == len(set(names))
    for kind, model_id in facts.default_models.items():
        found = find_model(facts.models, model_id, kind)
        assert found is not None
        assert found.id == model_id


@pytest.mark.parametrize("wire", FORMATS)
def test_an_alias_never_shadows_another_row(wire: str) -> None:
    rows = load_facts(wire).models
    for row in rows:
        for alias in row.aliases:
            assert find_model(rows, alias, row.kind) == row, alias


@pytest.mark.parametrize(
    ("wire", "own_id"),
    [
        ("routeany", "google/veo-3.1"),
        ("apixo", "veo-3-1"),
        ("llmgateway", "veo-3.1-generate-preview"),
        ("shuyou", "veo-3.1-generate-preview"),
        ("unified", "veo3.1"),
    ],
)
def test_the_canonical_name_resolves_to_each_gateways_own_id(wire: str, own_id: str) -> None:
    rows = load_facts(wire).models
    for name in ("veo-3.1", "VEO-3.1", "veo-3.1-generate-preview", own_id):
        found = find_model(rows, name, "video")
        assert found is not None
        assert found.id == own_id


def test_an_own_id_wins_over_another_rows_alias() -> None:
    rows = [model(id="a", name="one", aliases=["b"]), model(id="b", name="two")]
    found = find_model(rows, "b")
    assert found is not None
    assert found.name == "two"


def test_an_upstream_in_front_of_an_id_is_kept_where_the_gateway_takes_it() -> None:
    rows = [model(id="sora-2", name="sora-2", prefixable=True), model(id="veo-9", name="veo-9")]
    found = find_model(rows, "openai/sora-2")
    assert found is not None
    assert (found.id, found.name) == ("openai/sora-2", "sora-2")
    assert find_model(rows, "openai/veo-9") is None


def test_a_model_of_another_kind_is_not_found() -> None:
    assert find_model([model("image")], "m-1", "video") is None


def test_a_documented_row_wins_over_a_live_one() -> None:
    documented, live, new = model(), model(id="M-1-Preview", certainty="live"), model(id="new", certainty="live")
    assert join_models([documented], [live, new]) == (documented, new)


def test_an_unlisted_model_takes_what_the_gateway_takes_for_its_kind() -> None:
    row = load_facts("routeany").unlisted_model("acme/new-video", "video")
    assert (row.id, row.certainty) == ("acme/new-video", "unknown")
    assert row.inputs is not None
    assert "duration_seconds" in row.inputs
    assert "seed" not in row.inputs
