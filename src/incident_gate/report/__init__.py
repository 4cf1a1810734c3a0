"""The sinks: each renders the same Report for one kind of reader."""
