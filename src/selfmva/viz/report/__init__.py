"""The report of an association: one HTML page."""
