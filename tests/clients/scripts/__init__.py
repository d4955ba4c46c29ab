"""What runs inside a client's own environment: nothing here imports rushes, or more than the one client."""
