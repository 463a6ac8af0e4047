"""How fast, how large, how dear. ``make bench`` runs all, ``python -m benchmarks NAME ...`` some parts."""

import os

# As in the image (function/Dockerfile): what isn't ours stays on one thread.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
