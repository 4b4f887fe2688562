"""Images and videos, alone and of several cameras at once."""
