"""Learning where people are and how they stand, from keypoints that nobody has labelled."""
