"""One module a format; what they share is in `readings`, `reasons` and `compose`."""
