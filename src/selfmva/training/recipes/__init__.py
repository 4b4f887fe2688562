"""What is minimized: one file for each recipe."""
