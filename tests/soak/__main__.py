"""`python -m tests.soak`: everything at once for half an hour, and every account matched at the end."""

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import anyio

from .report import report
from .soak import Plan, soak

_ABOUT = """Real `rushes serve` and engine processes over simulated gateways on loopback, with faults of all kinds: lost
answers, slow and hostile ones, downloads without end, equal calls at once, cancels, kills, stalls, a clock that is set,
a full disk. At the end each gateway's account is matched with rushes' records and files, and with what agents were
told. The exit code is 1 where anything does not match; the folder with records and logs then stays."""


def main() -> int:
    """Exit code."""
    parser = argparse.ArgumentParser("python -m tests.soak", description=_ABOUT)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long faults go on (default: 30)")
    parser.add_argument(
        "--seed", type=int, default=None, help="of everything that is drawn (default: another each time)"
    )
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else secrets.randbelow(10**6)
    folder = Path(tempfile.mkdtemp(prefix="rushes-soak-"))
    # What is mounted and started is cleared away, however this ends.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcome = anyio.run(soak, Plan.of(60 * arguments.minutes, seed), folder)
    sys.stdout.write(f"{report(outcome)}\n")
    if outcome.balance.mismatches:
        sys.stdout.write(f"\nrecords, files and logs: {folder}\n")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
