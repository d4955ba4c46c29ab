"""What agents ask for every day, at each single key and at all of them."""
