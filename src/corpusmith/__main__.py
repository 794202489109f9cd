"""`python -m corpusmith`: the command line."""

import sys

from corpusmith.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
