"""Many channels to one: the mean of some of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def downmix(samples: NDArray[np.float32], mixes: Sequence[tuple[int, ...]]) -> NDArray[np.float32]:
    """(n, channels) float32 -> (mixes, n) float32, a copy: for each mix the mean of its channels.

    Channels are counted from 0.
    """
    mixed = np.zeros((len(mixes), len(samples)), np.float32)
    for row, channels in zip(mixed, mixes, strict=True):
        for channel in channels:
            row += samples[:, channel]
        row /= len(channels)
    return mixed
