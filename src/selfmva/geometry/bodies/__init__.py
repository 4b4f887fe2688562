"""Cameras from the keypoints of people: nothing is measured, nobody has to walk."""
