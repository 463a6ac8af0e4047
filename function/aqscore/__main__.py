"""``python -m aqscore`` is the command ``aqscore``."""

import sys

from aqscore.cli.main import main

sys.exit(main())
