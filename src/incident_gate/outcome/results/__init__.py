"""Results of checks and builds, read from the files that test tools write."""
