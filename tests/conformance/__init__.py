"""The protocol's own conformance suite, against `rushes serve` and against a server with the suite's own fixtures."""
