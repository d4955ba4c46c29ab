"""The jobs that agents were given are done on the simulated gateways in as few calls as promised."""

from pathlib import Path

import pytest

from tests.gateways.client import GatewayProcess, RunningGateways

from .agent import an_agent
from .jobs import EARLIER, JOBS, AgentJob, a_fox

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("job", JOBS, ids=[job.words for job in JOBS])
async def test_a_job_is_done_in_few_calls(
    tmp_path: Path, gateway_process: GatewayProcess, gateways: RunningGateways, job: AgentJob
) -> None:
    async with an_agent(tmp_path, gateway_process.environment) as agent:
        if job.words in EARLIER:
            await a_fox(agent)
        await job.do(agent)

    assert agent.calls <= job.calls_max
    assert await gateways.violations() == []
