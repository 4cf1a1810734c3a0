"""Selectors: entries of the manifest that select several assets."""
