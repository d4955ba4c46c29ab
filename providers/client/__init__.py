"""HTTP with gateways: the only room that knows the HTTP library."""
