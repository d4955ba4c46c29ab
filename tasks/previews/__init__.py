"""Looks: a small picture of a kept output, and a line of facts, so that a model can see what was made.

Everything here that decodes blocks and is called in a worker thread; pillow and PyAV are imported only when used.
"""
