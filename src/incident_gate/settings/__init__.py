"""Settings of one run: every option once, and the value that all of them make."""
