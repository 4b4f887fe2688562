"""Does a model still fit what it sees? What fit() saw, what is seen now, and which change explains the difference."""
