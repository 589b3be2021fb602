"""The command line: one file for each kind of command; every heavy import stands inside the command that needs it."""
