"""The models of all providers, joined with the gateways' live lists."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rushes.cache.embedded.store import TaskStore
from rushes.domain.errors import GatewayUnavailable, RequestRefused
from rushes.domain.model_facts import ModelFacts
from rushes.domain.record import SCHEMA
from rushes.tasks.intake import offers
from rushes.tasks.intake.routing import Configured
from rushes.tasks.migrations import MIGRATIONS

from .scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

LIVE = (ModelFacts(id="new-1", name="new-1", kind="video", source="live", certainty="live"),)


def _names(configured: list[Configured]) -> list[str]:
    return [offer.name for offer in offers.offers(configured, kind="video", provider=None, query=None)]


async def test_a_live_list_joins_the_catalogue_and_is_read_once_a_day(tmp_path: Path) -> None:
    configured = [Configured(ScriptedProvider(live=LIVE))]
    async with TaskStore.opened(tmp_path, schema=SCHEMA, migrations=MIGRATIONS) as store:
        now = datetime.now(UTC)
        await offers.refresh(configured, store, now)
        assert _names(configured) == ["model-one", "new-1"]
        again = ScriptedProvider(live=LIVE)
        await offers.refresh([Configured(again)], store, now + timedelta(hours=23))
        assert (again.refreshes, again.added) == (0, LIVE)
        await offers.refresh([Configured(again)], store, now + timedelta(hours=25))
        assert again.refreshes == 1


async def test_a_list_that_cannot_be_read_leaves_the_last_one_and_is_not_asked_for_at_once(tmp_path: Path) -> None:
    down = ScriptedProvider(live=GatewayUnavailable("provider_error", "503"))
    async with TaskStore.opened(tmp_path, schema=SCHEMA, migrations=MIGRATIONS) as store:
        now = datetime.now(UTC)
        await offers.refresh([Configured(ScriptedProvider(live=LIVE))], store, now)
        await offers.refresh([Configured(down)], store, now + timedelta(hours=25))
        assert down.added == LIVE
        await offers.refresh([Configured(down)], store, datetime.now(UTC))
        assert down.refreshes == 1


async def test_a_provider_without_a_key_is_not_asked_but_still_listed(tmp_path: Path) -> None:
    keyless = ScriptedProvider(live=LIVE)
    configured = [Configured(keyless, "GATE_API_KEY is not set")]
    async with TaskStore.opened(tmp_path, schema=SCHEMA, migrations=MIGRATIONS) as store:
        await offers.refresh(configured, store, datetime.now(UTC))
    assert keyless.refreshes == 0
    offer = offers.offers(configured, kind=None, provider=None, query=None)[0]
    assert [usable for _, _, usable in offer.offers] == [False]


async def test_a_model_that_only_a_cached_live_list_knows_can_be_routed(tmp_path: Path) -> None:
    async with TaskStore.opened(tmp_path, schema=SCHEMA, migrations=MIGRATIONS) as store:
        now = datetime.now(UTC)
        await offers.refresh([Configured(ScriptedProvider(live=LIVE))], store, now)
        fresh = ScriptedProvider(live=LIVE)
        await offers.join_cached([Configured(fresh)], store, now, wanted="model-one")
        assert not fresh.added
        await offers.join_cached([Configured(fresh)], store, now, wanted="new-1")
        assert fresh.added == LIVE
        assert fresh.refreshes == 0


def test_models_are_one_entry_a_canonical_name_with_usable_ones_first() -> None:
    one = ScriptedProvider(name="one", model_id="google/veo", model_name="veo", kinds=("video",))
    two = ScriptedProvider(name="two", model_id="veo-x", model_name="veo", kinds=("video",))
    other = ScriptedProvider(name="other", model_id="alpha", model_name="alpha", kinds=("video",))
    configured = [Configured(one), Configured(two, "no key"), Configured(other, "no key")]
    found = offers.offers(configured, kind=None, provider=None, query=None)
    assert [(offer.name, [name for name, _, _ in offer.offers]) for offer in found] == [
        ("veo", ["one", "two"]),
        ("alpha", ["other"]),
    ]
    assert [o.name for o in offers.offers(configured, kind=None, provider="TWO", query="VEO x")] == ["veo"]
    assert offers.offers(configured, kind="image", provider=None, query=None) == []


def test_a_filter_by_a_provider_that_does_not_exist_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(RequestRefused, match="did you mean 'one'"):
        offers.offers([Configured(ScriptedProvider(name="one"))], kind=None, provider="onee", query=None)
