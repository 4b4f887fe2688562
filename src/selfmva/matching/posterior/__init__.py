"""From distances to probabilities, without labels."""
