"""Which process works on what, and when."""
