"""`rushes models`: what can be made now, and with which key the rest."""

from .command import rushes


def test_models_that_can_be_used_now_come_first_and_the_others_name_who_needs_a_key() -> None:
    models = rushes("models", "--kind", "video", "--json").document["models"]
    assert models[0]["name"] == "sandbox-video"
    assert {model["kind"] for model in models} == {"video"}
    assert len(models) > 5


def test_the_table_tells_providers_and_limits() -> None:
    out = rushes("models", "--kind", "video").out
    row = next(line for line in out.splitlines() if line.startswith("sandbox-video"))
    assert "16:9" in row
    assert "1-60 s" in row
    assert "needs its key" in out


def test_models_that_take_a_request_are_a_table_with_the_best_first() -> None:
    run = rushes("models", "--kind", "video", "--fits", '{"duration_seconds": 5, "image": true}')
    assert run.out.splitlines()[1].startswith("sandbox-video")
    assert "(shuyou)" in run.out
    nothing = rushes("models", "--kind", "audio", "--provider", "sandbox", "--fits", '{"duration_seconds": 500}').out
    assert "Nearest: sandbox-audio on sandbox: duration_seconds 60." in " ".join(nothing.split())


def test_a_provider_that_does_not_exist_leaves_with_2() -> None:
    assert "apixo" in rushes("models", "--provider", "apxio", code=2).out


def test_no_match_is_an_answer() -> None:
    assert "No model matches" in rushes("models", "--query", "zzzzzz").out
