"""Self-calibration: where the cameras stand, from the boxes of people who walk, without a label."""
