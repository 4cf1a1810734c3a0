"""The command line: one module for each command, imported by its name."""
