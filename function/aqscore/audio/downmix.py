"""Many channels to one: the mean of all, or one of them."""

import numpy as np
from numpy.typing import NDArray


def downmix(samples: NDArray[np.float32], channel: int | None) -> NDArray[np.float32]:
    """(n, channels) float32 -> (n,) float32, a copy: that channel, or the mean of all where it is None."""
    if channel is not None:
        return samples[:, channel].copy()
    mean: NDArray[np.float32] = samples.mean(axis=1)
    return mean
