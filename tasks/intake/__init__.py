"""From a call's arguments to a request at one provider."""
