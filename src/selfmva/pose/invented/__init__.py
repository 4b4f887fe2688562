"""People and rigs that are made up, so that networks learn what cameras do to people without one label."""
