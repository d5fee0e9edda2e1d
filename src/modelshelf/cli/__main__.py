"""`python -m modelshelf.cli` is `shelf`."""

from __future__ import annotations

import sys

from modelshelf.cli import main

sys.exit(main())
