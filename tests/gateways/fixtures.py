"""Fixtures: one simulator process for the whole run, forgotten between tests.

A test module uses them by `from tests.gateways.fixtures import gateway_process_fixture, gateways`, or a conftest by
`pytest_plugins = ["tests.gateways.fixtures"]`.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from .client import GatewayProcess, RunningGateways, connected, gateway_process


@pytest.fixture(scope="session", name="gateway_process")
def gateway_process_fixture() -> Iterator[GatewayProcess]:
    """The process. Tests want `gateways` instead."""
    with gateway_process() as started:
        yield started


@pytest.fixture
async def gateways(gateway_process: GatewayProcess) -> AsyncIterator[RunningGateways]:
    """All gateways, with nothing recorded and nothing armed."""
    async with connected(gateway_process.environment) as running:
        await running.reset()
        yield running
