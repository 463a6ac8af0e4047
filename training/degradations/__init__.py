"""Degradations of clean speech, one module a kind. ``DEGRADATIONS`` lists all of them: add a kind there.

The order is that of a transmission chain, from the room through the microphone to the network. Several
degradations of one clip are applied in this order.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from training.degradations.bandwidth import bandlimit
from training.degradations.clipping import clipping
from training.degradations.codecs import random_codec
from training.degradations.gain import gain
from training.degradations.mnru import mnru
from training.degradations.noise import Noises, additive_noise
from training.degradations.packet_loss import packet_loss
from training.degradations.quantisation import quantisation
from training.degradations.reverberation import Room, reverb
from training.degradations.suppression import noisy_suppression


class Materials(Protocol):
    """The recordings of one split that degradations draw from."""

    @property
    def noises(self) -> Noises: ...

    @property
    def rooms(self) -> tuple[Room, ...]: ...


# (n,) samples, a severity from 0 (hardly audible) to 1 (ruined), a generator and the materials
# -> (n,) degraded samples and a record with the kind and its parameters.
type Degradation = Callable[[np.ndarray, float, np.random.Generator, Materials], tuple[np.ndarray, dict]]
type SimpleDegradation = Callable[[np.ndarray, float, np.random.Generator], tuple[np.ndarray, dict]]


def _without_materials(degrade: SimpleDegradation) -> Degradation:
    return lambda samples, severity, generator, materials: degrade(samples, severity, generator)


DEGRADATIONS: dict[str, Degradation] = {
    "reverb": lambda samples, severity, generator, materials: reverb(
        samples, severity, generator, materials.rooms
    ),
    "noise": lambda samples, severity, generator, materials: additive_noise(
        samples, severity, generator, materials.noises
    ),
    "suppression": lambda samples, severity, generator, materials: noisy_suppression(
        samples, severity, generator, materials.noises
    ),
    "mnru": _without_materials(mnru),
    "gain": _without_materials(gain),
    "clipping": _without_materials(clipping),
    "bandlimit": _without_materials(bandlimit),
    "quantisation": _without_materials(quantisation),
    "codec": _without_materials(random_codec),
    "packet_loss": _without_materials(packet_loss),
}
