"""`python -m stream_detector`: the program, where it isn't on the path."""

from __future__ import annotations

import sys

from stream_detector.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
