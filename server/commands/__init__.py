"""The commands of `rushes`: one module a family, over the same tools that agents call."""
