"""What an agent can call: one module a tool family, with its input and output models."""
