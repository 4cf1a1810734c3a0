"""Which job this is, by the CI system's environment."""
