"""Hosts with a model behind them: a real host, a model API on loopback in its own dialect, and a script for a model."""
