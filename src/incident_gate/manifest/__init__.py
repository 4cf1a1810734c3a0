"""The manifest: which assets a job reads and writes, and what counts as blocking."""
