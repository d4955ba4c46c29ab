"""Real clients against `rushes serve`, each in an environment of its own: `python -m tests.clients [NAME…]`."""
