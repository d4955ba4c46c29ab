"""Prices and budgets in rushes.toml, and mistakes in them named by file and key."""

from decimal import Decimal
from pathlib import Path

import pytest

from rushes.domain.budget import Budget
from rushes.domain.errors import ConfigurationError
from rushes.domain.money import Price
from rushes.providers.registry import default_settings, format_names
from rushes.server.settings.settings import Settings, load_settings


def _settings(home: Path, text: str) -> Settings:
    home.mkdir(parents=True, exist_ok=True)
    (home / "rushes.toml").write_text(text, encoding="utf-8")
    return load_settings(default_settings(), format_names)


def test_prices_are_amounts_by_what_they_go_by(isolated_environment: Path) -> None:
    text = """
        [prices."routeany/google/veo-3.1"]
        per_second = "0.40"
        [prices."yuto/suno"]
        currency = "yuto credits"
        per_output = { "default" = "12", "4k" = "20" }
        [prices."apixo/qwen-tts"]
        currency = "eur"
        per_1000_characters = 0.15
    """
    assert _settings(isolated_environment, text).prices == {
        "routeany/google/veo-3.1": Price(per_second={"default": Decimal("0.4")}),
        "yuto/suno": Price(currency="yuto credits", per_output={"default": Decimal(12), "4k": Decimal(20)}),
        "apixo/qwen-tts": Price(currency="EUR", per_1000_characters=Decimal("0.15")),
    }


def test_one_budget_or_one_for_each_currency(isolated_environment: Path) -> None:
    one = _settings(isolated_environment, '[budget]\nper_day = "5"\nconfirm_above = "1.00"\nunknown_price = "refuse"')
    assert one.budgets == (Budget(per_day=Decimal(5), confirm_above=Decimal(1), unknown_price="refuse"),)
    several = _settings(
        isolated_environment,
        '[[budget]]\nper_day = "5"\n[[budget]]\ncurrency = "EUR"\nper_month = "20"\n'
        '[prices."yuto/suno"]\ncurrency = "EUR"\nper_output = "1"',
    )
    assert [budget.currency for budget in several.budgets] == ["USD", "EUR"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[budget]\ncurrency = "EUR"\nper_day = "5"', "budget.currency: no provider takes EUR"),
        ('[[budget]]\nper_day = "5"\n[[budget]]\nper_day = "6"', "two budgets in USD"),
        ('[budget]\nper_day = "much"', "budget.0.per_day: this must be an amount"),
        ('[budget]\nper_day = "-1"', "budget.0.per_day: this must be an amount"),
        ('[budget]\nper_dya = "5"', "did you mean 'per_day'"),
        ('[budget]\nunknown_price = "perhaps"', "unknown_price"),
        ('[prices."nowhere/veo"]\nper_second = "1"', "there is no provider 'nowhere'"),
        ("[prices.veo]\nper_second = '1'", 'such as [prices."llmgateway/veo-3.1"]'),
        ("[prices.'yuto/veo']\nper_minute = '1'", "unknown key"),
        ("[prices.'yuto/veo']\nper_second = 'x'", "this must be an amount"),
        ("[prices.'yuto/veo']\ncurrency = '$'", "this must be a currency"),
    ],
)
def test_a_mistake_is_named(isolated_environment: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        _settings(isolated_environment, text)
    assert words in raised.value.message
    assert "rushes.toml" in raised.value.message
