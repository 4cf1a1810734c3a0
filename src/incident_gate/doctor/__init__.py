"""Checks of everything that a gate depends on."""
