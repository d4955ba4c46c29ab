"""Settings: the environment, `rushes.toml`, and what the logs may hold."""
