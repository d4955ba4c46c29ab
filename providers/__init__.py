"""One adapter a gateway, and the vocabulary that all of them share."""
