"""With this folder in PYTHONPATH, an attacker controls the decoder worker: see attacks.py."""

import attacks  # noqa: F401
