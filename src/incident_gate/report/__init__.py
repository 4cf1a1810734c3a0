"""Renders the result of a run, one module for each format."""
