"""Currencies are apart from each other, and each is one, in whatever case it is written."""

from decimal import Decimal
from pathlib import Path

import pytest

from rushes.domain.budget import Budget
from rushes.domain.errors import ConfigurationError, RequestRefused
from rushes.domain.job import Cost, Job
from rushes.domain.money import Allowance, Estimate, Price
from rushes.domain.principal import LOCAL
from rushes.providers.registry import default_settings, format_names
from rushes.server.settings.settings import load_settings

from ..tasks.engines import a_wish, an_engine
from ..tasks.makers import ACCEPTED, RUNNING
from ..tasks.scripted import ScriptedProvider

pytestmark = pytest.mark.anyio


def _gate(name: str = "gate") -> ScriptedProvider:
    answers = [ACCEPTED.model_copy(update={"job": Job(job_id=f"{name}-{n}", model="m1")}) for n in range(9)]
    return ScriptedProvider(name=name, answers=[*answers], looks=[RUNNING])


async def test_credits_are_bounded_in_whatever_case_their_name_is_written(tmp_path: Path) -> None:
    prices = {
        "one/m1": Price(currency="Some Credits", per_request=Decimal(6)),
        "other/m1": Price(currency="some credits", per_request=Decimal(6)),
    }
    budgets = [Budget(currency="SOME credits", per_day=Decimal(10), confirm_above=Decimal(7))]
    async with an_engine(tmp_path, _gate("one"), _gate("other"), prices=prices, budgets=budgets) as engine:
        await engine.generate(a_wish("a", provider="one"))
        with pytest.raises(RequestRefused, match="4 is left"):
            await engine.generate(a_wish("b", provider="other"))
        (left,) = await engine.budgets_left(principal=LOCAL)
    assert left.today == Decimal(4)


def test_what_a_gateway_or_a_person_writes_small_is_the_same_currency() -> None:
    assert Cost(amount=Decimal(1), currency="usd").currency == "USD"
    allowed = Allowance(amount=Decimal(12), currency="Some credits")
    assert allowed.allows(Estimate(amount=Decimal(12), currency="some credits", basis="listed"))
    assert not allowed.allows(Estimate(amount=Decimal(1), currency="USD", basis="listed"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[prices.'yuto/a']\ncurrency = 'Yuto credits'\nper_request = '1'\n"
            "[prices.'yuto/b']\ncurrency = 'yuto credits'\nper_request = '1'",
            "'Yuto credits' and 'yuto credits' are one currency",
        ),
        ("[prices.'yuto/a']\ncurrency = 'yuto credits'", "it says no price; give per_second"),
        ("[prices.'yuto/a']\nper_input_image = '0.1'", "it says no price"),
    ],
)
def test_what_would_bound_nothing_is_a_configuration_error(isolated_environment: Path, text: str, words: str) -> None:
    isolated_environment.mkdir(parents=True, exist_ok=True)
    (isolated_environment / "rushes.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load_settings(default_settings(), format_names)
    assert words in raised.value.message
