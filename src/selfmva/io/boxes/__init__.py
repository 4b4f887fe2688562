"""Boxes in files: read and written."""
