"""Assignment problems and groups."""
