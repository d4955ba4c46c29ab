"""The command against gateways that want a key: simulated ones, in a process of their own on loopback."""

from pathlib import Path

from tests.gateways.client import GatewayProcess

from .command import rushes

NAMES = ("routeany", "yuto", "shuyou", "llmgateway", "apixo")


def settings_of(process: GatewayProcess) -> dict[str, str]:
    """The keys and base URLs of the simulated gateways."""
    wanted = [f"{name.upper()}_{part}" for name in NAMES for part in ("API_KEY", "BASE_URL")]
    return {name: process.environment[name] for name in wanted}


def test_doctor_tells_keys_that_work_from_one_that_does_not(gateway_process: GatewayProcess) -> None:
    settings = settings_of(gateway_process) | {"APIXO_API_KEY": "a-key-that-is-wrong"}
    run = rushes("doctor", "--json", code=1, environment=settings)
    states = {check["name"]: check["state"] for check in run.document["checks"] if check["topic"] == "providers"}
    # No page of the unified format has a read that proves a key for nothing.
    assert states == {**dict.fromkeys([*NAMES, "sandbox"], "ok"), "apixo": "broken", "yuto": "note"}
    assert not [key for name, key in settings.items() if name.endswith("_KEY") and key in run.out + run.err]


def test_with_a_key_a_gateway_is_chosen_and_the_sandbox_only_by_name(gateway_process: GatewayProcess) -> None:
    settings = {name: value for name, value in settings_of(gateway_process).items() if name.startswith("APIXO")}
    paid = rushes(
        "generate", "video", "a fox [look-after:0.1]", "--model", "veo-3.1", "--json", environment=settings
    ).document
    free = rushes("generate", "image", "a fox", "--provider", "sandbox", "--json", environment=settings).document
    assert (paid["provider"], paid["state"]) == ("apixo", "succeeded")
    assert (free["provider"], free["state"]) == ("sandbox", "succeeded")


def test_the_order_in_the_file_is_the_order_in_which_gateways_are_tried(
    gateway_process: GatewayProcess, isolated_environment: Path
) -> None:
    isolated_environment.mkdir()
    for first in ("apixo", "routeany"):
        (isolated_environment / "rushes.toml").write_text(f'order = ["{first}"]', encoding="utf-8")
        preview = rushes(
            "generate", "video", "a fox", "--model", "veo-3.1", "--dry-run", "--json",
            environment=settings_of(gateway_process),
        )  # fmt: skip
        assert preview.document["provider"] == first
