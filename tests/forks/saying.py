"""A module to be run: says where and as what it runs, then waits for a line and leaves with what that says."""

import json
import os
import sys
from pathlib import Path

said = [sys.argv[1:], os.environ.get("SAID"), str(Path.cwd()), os.getpid(), os.getsid(0)]
sys.stdout.write(json.dumps(said) + "\n")
sys.stdout.flush()
sys.stderr.write("complaint")
sys.exit(int(sys.stdin.readline()))
