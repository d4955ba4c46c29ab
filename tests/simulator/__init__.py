"""Tests of the simulator itself: that it answers as the vendors' pages print it, and records what happened."""
