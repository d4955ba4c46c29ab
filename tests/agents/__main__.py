"""`python -m tests.agents`: the everyday requests and the jobs of agents, run into the tables of docs/agents.md."""

import argparse
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import anyio

from tests.gateways.client import gateway_process

from .agent import an_agent
from .jobs import EARLIER, JOBS, a_fox
from .table import markdown, tabled

DOCUMENT = Path(__file__).parents[2] / "docs" / "agents.md"


def main() -> int:
    """Exit code."""
    argparse.ArgumentParser("python -m tests.agents", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder, gateway_process() as gateways:
        everyday = anyio.run(tabled, Path(folder))
        jobs = anyio.run(jobs_tabled, Path(folder), gateways.environment)
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, table in (("everyday", everyday), ("jobs", jobs)):
        text = re.sub(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end of {name} -->)", f"\n{table}\n", text, flags=re.DOTALL)
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


async def jobs_tabled(home: Path, environment: Mapping[str, str]) -> str:
    """What each job takes on the simulated gateways."""
    rows: list[list[str]] = []
    for number, job in enumerate(JOBS):
        async with an_agent(home / f"job-{number}", environment) as agent:
            if job.words in EARLIER:
                await a_fox(agent)
            await job.do(agent)
        rows.append([job.words, str(agent.calls), f"{agent.bytes / 1000:.1f}", str(agent.pictures), job.before])
    return markdown(["job", "calls", "kB of text", "looks", "before"], rows)


if __name__ == "__main__":
    sys.exit(main())
