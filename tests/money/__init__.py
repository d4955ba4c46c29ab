"""What generations cost: known before, kept after, and bounded."""
