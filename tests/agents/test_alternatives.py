"""What else would have done is told with its price in one piece, under the name that the design has for it."""

from decimal import Decimal
from pathlib import Path

import pytest

from rushes.domain.money import Price
from rushes.domain.principal import LOCAL
from rushes.tools import GENERATE_VIDEO, ToolContext, already, call_tool

from ..tasks.engines import an_engine
from .test_chosen import gates

pytestmark = pytest.mark.anyio

PRICE = {"two/fox-2": Price(per_request=Decimal("0.25"))}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_an_alternative_tells_its_price_in_one_piece(tmp_path: Path, *, dry_run: bool) -> None:
    async with an_engine(tmp_path, *gates(), prices=PRICE) as engine:
        context = ToolContext(opened=already(engine), principal=LOCAL)
        shown = (await call_tool(GENERATE_VIDEO, context, {"prompt": "a red fox", "dry_run": dry_run})).document

    assert shown["chosen"] == {
        "why": "fox-1 is one's default and takes exactly this",
        "alternatives": [
            {
                "provider": "two",
                "model": "fox-2",
                "price": {"amount": 0.25, "currency": "USD", "basis": "configured"},
            }
        ],
    }
