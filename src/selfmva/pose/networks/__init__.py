"""The networks: where people are, and how they stand."""
