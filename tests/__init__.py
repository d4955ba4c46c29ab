"""Tests of rushes; `tests.gateways` is a simulator of the gateways that also runs on its own."""
