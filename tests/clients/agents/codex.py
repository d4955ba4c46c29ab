"""Codex, headless: `codex exec`."""

import json
from pathlib import Path

from ..scripts.scenario import Job
from .conversation import SERVER
from .host import PROMPT, Start, packaged, play_host
from .openai_responses import OpenAIResponses

SETTINGS = """\
model = "{server}-script"
model_provider = "loopback"
approval_policy = "never"
sandbox_mode = "read-only"
check_for_update_on_startup = false

[analytics]
enabled = false

[features]
plugins = false

[model_providers.loopback]
name = "loopback"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "LOOPBACK_API_KEY"
request_max_retries = 0
stream_max_retries = 0

[mcp_servers.{server}]
{reached}
required = true
startup_timeout_sec = 60
tool_timeout_sec = {seconds}
default_tools_approval_mode = "approve"
"""


def configure(job: Job, seconds: float, home: Path, url: str) -> Start:
    settings = home / ".codex" / "config.toml"
    settings.parent.mkdir()
    text = SETTINGS.format(server=SERVER, url=url, reached=reached(job), seconds=seconds)
    settings.write_text(text, encoding="utf-8")
    command = [packaged(".bin", "codex"), "exec", "--json", "--skip-git-repo-check", PROMPT]
    return Start(command, {"LOOPBACK_API_KEY": "none"})


def reached(job: Job) -> str:
    """As TOML, whose strings and lists are JSON's."""
    if job.transport != "stdio":
        return f"url = {json.dumps(job.url)}"
    variables = ", ".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in job.env.items())
    command, *arguments = job.command
    return f"command = {json.dumps(command)}\nargs = {json.dumps(arguments)}\nenv = {{{variables}}}"


if __name__ == "__main__":
    play_host("@openai/codex", OpenAIResponses(), configure)
