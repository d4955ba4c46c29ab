"""What rushes costs beside a bare server of the SDK."""
