"""Entries that stand for several assets, and the assets that they select."""
