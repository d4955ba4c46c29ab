"""Processes that begin with everything loaded: forked from one that has imported it, in milliseconds.

A process that is started anew takes half a second of a processor before its first own line. Where that start is not
what a test is about, `forked()` gives it a process that can be sent signals, killed and waited for like any other.
"""

from .forked import Forked, Ran, as_command, fork, forked, ran, shared_zygote

__all__ = ["Forked", "Ran", "as_command", "fork", "forked", "ran", "shared_zygote"]
