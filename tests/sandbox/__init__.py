"""The built-in sandbox provider."""
