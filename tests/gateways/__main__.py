"""`python -m tests.gateways`: start the simulator and print how to point rushes at it."""

import argparse
import shlex
import sys
from collections.abc import Sequence

import anyio

from .roster import describe, names
from .server import serve

_ABOUT = """Simulated gateways on loopback. Prints one line of shell assignments, then serves until standard input ends,
SIGTERM or SIGINT comes, or the longest life time is over. What a gateway does is steered by words in square brackets in
the prompt and through the control API; --behaviours lists them."""


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.gateways", description=_ABOUT)
    parser.add_argument("--port", type=int, default=0, help="port of the gateways (default: a free one)")
    parser.add_argument("--gateway", action="append", default=[], choices=names(), metavar="NAME",
                        help=f"only this gateway; may be repeated ({', '.join(names())})")  # fmt: skip
    parser.add_argument("--max-seconds", type=float, default=3600, help="longest life time (default: 3600)")
    parser.add_argument("--behaviours", action="store_true", help="list all behaviours and stop")
    return parser.parse_args(argv)


def _print_environment(settings: dict[str, str]) -> None:
    assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
    sys.stdout.write(f"export {assignments}\n")
    sys.stdout.flush()


async def _serve(arguments: argparse.Namespace) -> None:
    await serve(
        port=arguments.port,
        wanted=arguments.gateway,
        max_seconds=arguments.max_seconds,
        ready=_print_environment,
    )


def main(argv: Sequence[str] | None = None) -> None:
    arguments = _arguments(argv)
    if arguments.behaviours:
        sys.stdout.write(describe())
        return
    anyio.run(_serve, arguments)


if __name__ == "__main__":
    main()
