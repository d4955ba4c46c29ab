"""Claude Code, headless: `claude -p`."""

import json
from pathlib import Path

from ..scripts.scenario import Document, Job
from .anthropic_messages import PREFIX, AnthropicMessages
from .conversation import SERVER
from .host import PROMPT, Start, packaged, play_host


def configure(job: Job, seconds: float, home: Path, url: str) -> Start:
    servers = home / "mcp.json"
    servers.write_text(json.dumps({"mcpServers": {SERVER: server(job)}}), encoding="utf-8")
    only_ours = ["--mcp-config", str(servers), "--strict-mcp-config", "--allowedTools", PREFIX.removesuffix("__")]
    return Start(
        [packaged(".bin", "claude"), "-p", PROMPT, *only_ours],
        {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "sk-ant-none",
            "MCP_TOOL_TIMEOUT": f"{seconds * 1000:.0f}",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        },
    )


def server(job: Job) -> Document:
    if job.transport == "stdio":
        return {"type": "stdio", "command": job.command[0], "args": job.command[1:], "env": job.env}
    return {"type": "http", "url": job.url}


if __name__ == "__main__":
    play_host("@anthropic-ai/claude-code", AnthropicMessages(), configure)
