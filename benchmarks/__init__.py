"""Benchmarks of speed, memory and cost: ``make bench`` runs all, ``python -m benchmarks NAME ...`` some."""

import os

# As in the image (function/Dockerfile): NumPy stays on one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
