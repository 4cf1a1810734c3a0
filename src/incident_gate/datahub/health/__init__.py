"""Reading the health of assets."""
