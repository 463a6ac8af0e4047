"""The recipe: speech and noise -> labelled mixtures -> features -> trained model -> evaluation -> export."""

import os

# TensorFlow takes oneDNN's kernels by itself only on some CPUs; they train a third faster on others too
# (training/network/EXPERIMENTS.md, 16). It reads this when it is imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
