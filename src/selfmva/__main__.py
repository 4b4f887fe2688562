"""`python -m selfmva` is the command `selfmva`."""

import sys

from selfmva.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
