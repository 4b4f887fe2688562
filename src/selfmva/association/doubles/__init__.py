"""One person in two boxes of one view: known by how often boxes overlap as no two people do."""
