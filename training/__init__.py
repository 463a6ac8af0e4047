"""Training: speech and noise -> labelled clips -> frames -> trained network -> evaluation -> export."""

import os

# TensorFlow uses oneDNN's kernels by default on some CPUs only; they train a third faster on others too
# (training/network/EXPERIMENTS.md). It reads this variable when it is imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
