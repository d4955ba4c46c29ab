"""How the tools' arguments are read: their base, their values, and their portable schema."""
