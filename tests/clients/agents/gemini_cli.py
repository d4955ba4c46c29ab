"""Gemini CLI, headless: `gemini -p`."""

import json
import os
from pathlib import Path

from ..scripts.scenario import Document, Job
from .conversation import SERVER
from .gemini_content import GeminiContent
from .host import PROMPT, Start, packaged, play_host


def configure(job: Job, seconds: float, home: Path, url: str) -> Start:
    settings = home / ".gemini" / "settings.json"
    settings.parent.mkdir()
    document = {
        "mcpServers": {SERVER: {**server(job), "timeout": int(seconds * 1000), "trust": True}},
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
    }
    settings.write_text(json.dumps(document), encoding="utf-8")
    script = packaged(".bin", "gemini")
    return Start(
        [os.environ["NODE"], script, "--skip-trust", "--model", "gemini-2.5-pro", "--prompt", PROMPT],
        {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": "none"},
    )


def server(job: Job) -> Document:
    if job.transport == "stdio":
        return {"command": job.command[0], "args": job.command[1:], "env": job.env}
    return {"httpUrl": job.url}


if __name__ == "__main__":
    play_host("@google/gemini-cli", GeminiContent(), configure)
