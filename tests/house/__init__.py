"""The house itself: its layout, its imports, its packages and its words."""
