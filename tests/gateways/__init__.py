"""A simulator of the gateways: a separate process on loopback that answers as their documentation pages say.

It was written from the vendors' pages alone, apart from the adapters in `providers/`, so that a misreading there is
not repeated here. `python -m tests.gateways` starts it for a person, `tests.gateways.client` for tests.
"""
