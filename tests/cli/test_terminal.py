"""On a terminal: progress while something is waited for, Ctrl-C that loses nothing, and nothing wider than it."""

import os
import pty
import signal
import subprocess

from ..forks import fork
from .command import TIMEOUT_SECONDS, on_terminal, read_to_end, rushes, terminal_shows, visible


def test_progress_is_shown_while_waiting_and_gone_afterwards() -> None:
    code, text = on_terminal(["generate", "video", "a fox [slow:1]", "--duration-seconds", "1"])
    assert code == 0
    assert "%" in text
    assert "running at sandbox" in visible(text)
    last = visible(text.rsplit("\x1b[2K", 1)[-1])
    assert "succeeded" in last
    assert "running" not in last


def test_nothing_is_wider_than_the_terminal() -> None:
    rushes("generate", "image", "a very long prompt " * 10, "--no-wait", code=3)
    for command in ("tasks", "models", "doctor --offline", "--help", "generate video --help"):
        code, text = terminal_shows(*command.split(), columns=80)
        assert code == 0
        assert max(len(line.rstrip()) for line in visible(text).splitlines()) <= 80, command


def test_ctrl_c_while_waiting_leaves_with_3_and_says_how_to_look_again() -> None:
    main, side = pty.openpty()
    process = fork(
        "rushes",
        *("generate", "image", "a fox [slow:1.5]", "--json"),
        stdin=subprocess.DEVNULL,
        stderr=side,
        environment={**os.environ, "COLUMNS": "80", "TERM": "xterm-256color"},
    )
    os.close(side)
    try:
        seen = b""
        while b"at sandbox" not in seen:
            seen += os.read(main, 4096)
        process.send_signal(signal.SIGINT)
        rest = visible(read_to_end(main))
        assert process.stdout is not None
        with process.stdout:
            out = process.stdout.read()
        process.wait(TIMEOUT_SECONDS)
    finally:
        process.kill()
        os.close(main)
    assert process.returncode == 3
    assert "The task goes on at its gateway" in rest
    task_id = rest.split("rushes check ")[1].split()[0]
    assert task_id in out.decode()
    assert rushes("check", task_id, "--wait", "60", "--json").document["state"] == "succeeded"


def test_text_from_a_prompt_is_shown_as_text() -> None:
    rushes("generate", "image", "[bold red]fox[/] \x1b[31mred\x07 [link=https://evil.example]x[/link]", "--json")
    code, text = terminal_shows("tasks")
    assert code == 0
    assert "[bold red]fox[/]" in visible(text)
    assert "\x1b[31mred" not in text
    assert "\x07" not in text
