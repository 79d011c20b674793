"""`python -m shapewatch` is the `shapewatch` command."""

import sys

from shapewatch.cli import main

if __name__ == "__main__":
    sys.exit(main())
