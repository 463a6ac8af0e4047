"""Predicts listeners' scores (MOS, ACR) of recordings by Distill-MOS, without a reference.

It needs the package distillmos, with its weights, and PyTorch: the extra ``teachers`` installs both. A clip
of up to 7.68 s takes about a quarter of a second on one core.

Source: B. Stahl and H. Gamper, "Distillation and Pruning for Scalable Self-Supervised Representation-Based
Speech Quality Assessment", ICASSP 2025. The weights, 4.2 million parameters, are part of the package (MIT
licence).
"""

import contextlib
import io

import distillmos
import numpy as np
import torch


class DistillMos:
    """The network with its published weights, on one thread."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        with contextlib.redirect_stdout(io.StringIO()):  # it prints where its weights lie
            self._network = distillmos.ConvTransformerSQAModel()
        self._network.eval()

    def score(self, samples: np.ndarray) -> float:
        """MOS, 1 to 5, of (n,) samples at 16 kHz: the mean over overlapping windows of 7.68 s."""
        with torch.no_grad():
            return float(self._network(torch.from_numpy(np.asarray(samples, np.float32))[None]))
