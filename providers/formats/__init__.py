"""One module a wire format; what they share is in `readings`, `reasons` and `compose`."""
