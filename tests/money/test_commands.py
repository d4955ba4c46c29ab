"""Money at a terminal: `rushes spend`, `settle`, `models`, `doctor`, and a price that is asked for or refused."""

import os
import pty
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.gateways.client import GatewayProcess

from ..cli.command import TIMEOUT_SECONDS, read_to_end, rushes, terminal_shows, visible
from ..cli.test_gateways import settings_of
from ..forks import fork

VEO = ("generate", "video", "--model", "veo-3.1", "--duration-seconds", "4", "--json")
FOX = "a fox [look-after:0.1]"
"""The gateway would like looks that often."""


@pytest.fixture
def llmgateway(gateway_process: GatewayProcess) -> Mapping[str, str]:
    """The key and base URL of the one that lists prices by the second."""
    settings = settings_of(gateway_process)
    return {name: value for name, value in settings.items() if name.startswith("LLMGATEWAY")}


def _configure(home: Path, text: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "rushes.toml").write_text(text, encoding="utf-8")


def test_what_was_spent_is_told_by_day_model_and_provider(llmgateway: Mapping[str, str]) -> None:
    assert rushes("spend", "--json").document == {"rows": [], "totals": []}
    made = rushes(*VEO, FOX, environment=llmgateway).document
    assert made["cost"] == {"amount": 1.6, "currency": "USD"}
    rushes("generate", "image", "free of charge", "--provider", "sandbox", "--json", environment=llmgateway)
    day = made["created_at"][:10]
    row = {"currency": "USD", "spent": "1.6", "reserved": "0", "tasks": 1}
    told = rushes("spend", "--json").document
    assert told == {"rows": [{"key": day, **row}], "totals": [{"currency": "USD", "spent": "1.6", "reserved": "0"}]}
    for by, key in (("model", "veo-3.1-generate-preview"), ("provider", "llmgateway"), ("user", "local")):
        assert rushes("spend", "--by", by, "--json").document["rows"] == [{"key": key, **row}]
    assert rushes("spend", "--since", "7d", "--json").document == told
    assert rushes("spend", "--since", "2100-01-01", "--json").document == {"rows": [], "totals": []}
    assert rushes("tasks", "--json").document["tasks"][1]["cost"] == {"amount": 1.6, "currency": "USD"}
    code, text = terminal_shows("spend", "--by", "provider")
    assert code == 0
    assert "1.6 USD spent" in visible(text)
    assert "█" in text


@pytest.mark.parametrize("since", ["yesterday", "7 days", "2026-13-01"])
def test_a_time_that_is_none_leaves_with_2(since: str) -> None:
    assert "neither a day nor a time ago" in rushes("spend", "--since", since, code=2).err


def test_a_lost_answer_stays_reserved_until_it_is_settled(
    llmgateway: Mapping[str, str], isolated_environment: Path
) -> None:
    _configure(isolated_environment, '[budget]\nper_day = "2"')
    lost = rushes(*VEO, "a fox [reset-after-accept]", code=1, environment=llmgateway).document
    assert lost["state"] == "unknown"
    assert lost["estimate"] == {"amount": 1.6, "currency": "USD", "basis": "listed"}
    assert rushes("spend", "--json").document["totals"] == [{"currency": "USD", "spent": "0", "reserved": "1.6"}]
    refused = rushes(*VEO, "another fox", code=2, environment=llmgateway)
    assert refused.document["failure"]["reason"] == "budget_exceeded"
    assert refused.document["estimate"] == lost["estimate"]
    assert "0.4 is left until" in refused.document["failure"]["message"]
    settled = rushes("settle", lost["task_id"], "1.55", "--json").document
    assert settled["failure"]["charged"] == "yes"
    assert rushes("spend", "--json").document["totals"] == [{"currency": "USD", "spent": "1.55", "reserved": "0"}]
    rushes("settle", lost["task_id"], "none", "--json")
    assert rushes("spend", "--json").document == {"rows": [], "totals": []}


def test_what_cannot_be_settled_is_said() -> None:
    free = rushes("generate", "image", "a fox", "--json").document["task_id"]
    assert "takes no money" in rushes("settle", free, "1", "--json", code=1).document["error"]["message"]
    assert "is no amount" in rushes("settle", free, "lots", code=2).err
    assert rushes("settle", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "1", code=2).err


def test_above_a_price_a_script_has_to_say_yes(llmgateway: Mapping[str, str], isolated_environment: Path) -> None:
    _configure(isolated_environment, '[budget]\nconfirm_above = "1"')
    run = rushes(*VEO, "a fox", code=2, environment=llmgateway)
    assert run.document["failure"]["reason"] == "confirmation_needed"
    assert run.document["estimate"] == {"amount": 1.6, "currency": "USD", "basis": "listed"}
    shown = rushes(*VEO[:-1], "a fox", code=2, environment=llmgateway).out
    assert "--yes" in shown
    assert rushes("tasks", "--json").document["tasks"] == []
    assert rushes(*VEO, FOX, "--yes", environment=llmgateway).document["state"] == "succeeded"
    assert rushes(*VEO, f"{FOX}, a vixen", "--max-cost", "2", environment=llmgateway).document["state"] == "succeeded"


@pytest.mark.usefixtures("followed_children")
@pytest.mark.parametrize(("typed", "state"), [("y\n", "succeeded"), ("\n", "cancelled")])
def test_at_a_terminal_the_person_is_asked(
    llmgateway: Mapping[str, str], isolated_environment: Path, typed: str, state: str
) -> None:
    _configure(isolated_environment, '[budget]\nconfirm_above = "1"')
    main, side = pty.openpty()
    environment = {**os.environ, **llmgateway, "COLUMNS": "200", "TERM": "xterm-256color"}
    process = fork(
        "rushes", *VEO[:-1], FOX, stdin=side, stdout=side, stderr=side, environment=environment, own_session=True
    )
    os.close(side)
    try:
        seen = b""
        while b"[y/N]" not in seen:
            seen += os.read(main, 4096)
        os.write(main, typed.encode())
        rest = visible(read_to_end(main))
        process.wait(TIMEOUT_SECONDS)
    finally:
        process.kill()
        os.close(main)
    question = "Generate 4 s of video in 720p by veo-3.1 at llmgateway for about 1.6 USD (as the gateway lists it)?"
    assert question in visible(seen.decode())
    assert state in rest
    states = [task["state"] for task in rushes("tasks", "--json").document["tasks"]]
    assert states == (["succeeded"] if state == "succeeded" else [])


def test_models_show_what_they_cost_and_what_is_left(llmgateway: Mapping[str, str]) -> None:
    models = rushes("models", "--query", "veo-3.1", "--provider", "llmgateway", "--json", environment=llmgateway)
    offer = next(model for model in models.document["models"] if model["name"] == "veo-3.1")["providers"][0]
    assert offer["price"] == {"amount": 0.4, "currency": "USD", "per": "second", "basis": "listed"}
    shown = rushes("models", "--query", "veo-3.1", "--provider", "llmgateway", environment=llmgateway).out
    assert "0.4 USD/second" in shown


def test_doctor_shows_budgets_balances_and_the_prices_that_nobody_knows(
    gateway_process: GatewayProcess, isolated_environment: Path
) -> None:
    _configure(isolated_environment, '[budget]\nper_day = "5"\nconfirm_above = "1"')
    checks = rushes("doctor", "--json", environment=settings_of(gateway_process)).document["checks"]
    told = {check["name"]: check for check in checks if check["topic"] == "money"}
    assert told["USD"]["message"] == "5 of 5 left this day; asks above 1; unknown prices: allow"
    assert "prices known of 0 of" in told["apixo"]["message"]
    assert '[prices."apixo/' in told["apixo"]["hint"]
    assert told["apixo"]["hint"].endswith('"] per_second = "…".')
    assert not told["llmgateway"]["message"].startswith("prices known of 0")
    balances = {check["name"]: check["message"] for check in checks if check["topic"] == "providers"}
    assert "balance 12.50 USD" in balances["llmgateway"]
    assert "balance 74.87 USD" in balances["shuyou"]
