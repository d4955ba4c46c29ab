"""Scripts that drive an installed rushes from outside; `.ci/run` starts them."""
