"""Films from kept shots and sounds."""
