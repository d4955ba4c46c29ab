"""Attacks on loopback: each answers as no gateway should, and rushes has to keep working."""
