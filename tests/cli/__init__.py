"""The command as people and scripts run it: a process of its own, on the sandbox."""
