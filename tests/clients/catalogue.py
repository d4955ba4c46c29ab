"""Which clients are run, at which version, and over what."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Client:
    """One client, and the wires on which it is tried."""

    name: str
    title: str
    script: str
    """Module in `scripts/` (a library) or `agents/` (a host with a model behind it)."""
    wires: tuple[str, ...]
    """`stdio`, `http` or `sse`, and after a space what the client is asked to speak, where it can choose."""
    python: tuple[str, ...] = ()
    """Packages of its own environment; without any, this one's Python runs the script."""
    node: str | None = None
    """Folder in `node/` with its packages."""
    kind: Literal["library", "host"] = "library"
    quick: tuple[str, ...] = ()
    """The wires on which every run of the checks tries it."""
    note: str = ""


CLIENTS = (
    Client(
        "python-sdk",
        "Python SDK",
        "python_sdk",
        ("stdio auto", "stdio legacy", "http auto", "http legacy", "sse legacy"),
        quick=("stdio legacy", "http auto", "sse legacy"),
    ),
    Client(
        "fastmcp",
        "fastmcp with fastmcp-tasks",
        "fastmcp_client",
        ("stdio", "http"),
        python=("fastmcp==4.1.2", "fastmcp-tasks==4.1.2"),
        quick=("stdio",),
        note="The video is made as a task of the protocol.",
    ),
    Client(
        "typescript",
        "TypeScript client",
        "typescript",
        ("stdio auto", "stdio legacy", "http auto"),
        node="libraries",
        quick=("stdio auto",),
        note="Legacy is its default.",
    ),
    Client(
        "inspector",
        "MCP Inspector CLI",
        "inspector",
        ("stdio modern", "stdio legacy", "http modern"),
        node="libraries",
        quick=("http modern",),
        note="No time limit of its own took effect, so its process was ended; each call is a process of its own.",
    ),
    Client(
        "langchain",
        "langchain-mcp-adapters",
        "langchain",
        ("stdio", "http"),
        python=("langchain-mcp-adapters==0.3.2",),
        quick=("stdio",),
    ),
    Client(
        "pydantic-ai",
        "pydantic-ai",
        "pydantic_ai",
        ("stdio", "http"),
        python=("pydantic-ai-slim[mcp]==2.68.0",),
        quick=("http",),
    ),
    Client(
        "openai-agents",
        "openai-agents",
        "openai_agents",
        ("stdio", "http"),
        python=("openai-agents==0.24.0",),
        quick=("stdio",),
        note="Its own default limit is 5 s.",
    ),
    Client(
        "claude-code",
        "Claude Code, `claude -p`",
        "claude_code",
        ("stdio", "http"),
        node="claude",
        kind="host",
        note="Its model has to search for the tools before it can call them; it is shown structured content and links.",
    ),
    Client(
        "codex",
        "Codex CLI, `codex exec`",
        "codex",
        ("stdio", "http"),
        node="codex",
        kind="host",
        note="Its model is shown structured content and no links, and pictures where there is no structured content.",
    ),
    Client(
        "gemini-cli",
        "Gemini CLI, `gemini -p`",
        "gemini_cli",
        ("stdio", "http"),
        node="gemini",
        kind="host",
        note="Its model is shown the text. It gives every tool an argument `wait_for_previous`, which rushes ignores.",
    ),
)
