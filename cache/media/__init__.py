"""The folder of kept media."""
