"""The gate: inputs checked and decided."""
