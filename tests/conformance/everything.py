"""A server with the conformance suite's fixtures on our own layer: `python -m tests.conformance.everything`.

It is the server that `rushes serve --transport http` runs, over a real store with the sandbox, with other tools: our
schemas and argument checks, our Tasks extension, our listeners, completion, resources and prompts. It prints its URL to
stderr and serves until a signal comes.
"""

import anyio

from rushes.domain.principal import LOCAL
from rushes.server.assembly import open_engine
from rushes.server.mcp.prompt_forms import add_prompts
from rushes.server.mcp.resources import add_resources
from rushes.server.mcp.server import RushesServer
from rushes.server.preparation import prepared_settings
from rushes.server.transports.serve import serve_http
from rushes.tasks.service import Service
from rushes.tools import ToolContext, already

from .contents import add_contents, content_tools
from .headers import header_tool
from .jobs import SuiteTasks, add_jobs, job_tools
from .questions import add_questions, asking_tools


def everything(service: Service) -> RushesServer:
    """The server."""
    surroundings = ToolContext(opened=already(service), principal=LOCAL)
    server = RushesServer(
        surroundings,
        name="everything",
        version="1",
        tools=[*job_tools(surroundings), header_tool(surroundings), *content_tools(), *asking_tools()],
        extensions=[SuiteTasks(surroundings)],
        log_level="WARNING",
    )
    add_resources(server, surroundings)
    add_prompts(server, surroundings)
    add_jobs(server, surroundings)
    add_contents(server)
    add_questions(server)
    return server


async def serve() -> None:
    """Serve on a free port."""
    async with open_engine(prepared_settings()) as service:
        await serve_http(everything(service), port=0)


if __name__ == "__main__":
    anyio.run(serve)
