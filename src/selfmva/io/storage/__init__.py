"""Files on the disk: whole or not at all, and a cache of arrays."""
