"""The module search path of worker processes."""

import os
import sys
from pathlib import Path


def python_path() -> str:
    """PYTHONPATH of a worker, for ``python -P``: this process's path without the current folder.

    The current folder ("") may hold recordings and modules of others.
    """
    package_folder = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([*filter(None, sys.path), package_folder])
