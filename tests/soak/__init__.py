"""A long run of everything at once: real processes, simulated gateways, faults of every kind, accounts at the end."""
