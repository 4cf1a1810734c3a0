"""The GitHub Action: entry points, stages and what the runner reads."""
