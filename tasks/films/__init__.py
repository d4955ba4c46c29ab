"""Films from kept shots and sounds: found and planned in this process, put together in one that decodes."""
