"""The viewer: the page, how it is bound to the tools, and both in a real browser."""
