"""Processes that are killed, raced, stalled and cut off: promise 1 of the design, held to what gateways recorded."""
