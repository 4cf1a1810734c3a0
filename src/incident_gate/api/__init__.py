"""Wires settings and manifest to one server: one module for each thing that can be done there; nothing prints."""
