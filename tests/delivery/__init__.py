"""Answers that hold the media themselves: of any size, broken off, with nowhere to go."""
