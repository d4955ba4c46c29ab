"""A generation's life, from request to kept result."""
