"""Weights copied between networks: to the exported one, for a warm start, and averaged with its start."""

import keras
import numpy as np

from training.network.config import Config
from training.network.model import build


def exported(config: Config, trained: keras.Model) -> keras.Model:
    """The network of ``build`` with the weights of one that ``build`` or ``build_for_training`` made."""
    network = build(config)
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(trained.get_layer(layer.name).get_weights())
    return network


def warm_start(network: keras.Model, source: keras.Model) -> None:
    """Gives ``network`` the weights of the layers that it shares by name with ``source``.

    Raises ValueError when a shared layer's shapes differ, or none is shared.
    """
    shared = {layer.name for layer in source.layers if layer.trainable_weights}
    shared &= {layer.name for layer in network.layers if layer.trainable_weights}
    if not shared:
        raise ValueError(
            f"{source.name} shares no layer with {network.name}, expected a network of the same kind: "
            "name a model.keras that training.release.export wrote."
        )
    for name in sorted(shared):
        old, new = (each.get_layer(name).get_weights() for each in (source, network))
        shapes = [[values.shape for values in weights] for weights in (old, new)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"Layer {name} of {source.name} has weights {shapes[0]}, expected {shapes[1]}: train from "
                "random weights, or start from a network of the same sizes."
            )
        network.get_layer(name).set_weights(old)


def average_with_start(network: keras.Model, start: keras.Model, share: float) -> None:
    """Moves ``network`` back to the weights that its run began with: ``share`` of them, 0 to 1.

    Layers that ``start`` lacks stay. The average generalises better than either where the run has learned its
    own material by heart: M. Wortsman, G. Ilharco et al., "Robust fine-tuning of zero-shot models",
    CVPR 2022, section 3. Raises ValueError as ``warm_start`` does.
    """
    trained = {layer.name: layer.get_weights() for layer in network.layers}
    warm_start(network, start)
    for layer in network.layers:
        pairs = zip(layer.get_weights(), trained[layer.name], strict=True)
        layer.set_weights([share * old + (1 - share) * new for old, new in pairs])


def round_weights(network: keras.Model, bits: int) -> None:
    """Rounds the weights of ``network`` to so many bits of mantissa, 1 to 22, of float32's 23.

    With 10 bits, the precision of float16, scores move by less than 0.001, and the compressed files shrink by
    a third: releases stay in the repository's history.
    """
    step = np.uint32(1 << (23 - bits))
    for layer in network.layers:
        if layer.trainable_weights:
            bit_patterns = (
                np.ascontiguousarray(each, np.float32).view(np.uint32) for each in layer.get_weights()
            )
            rounded = ((each + step // 2) & ~(step - np.uint32(1)) for each in bit_patterns)
            layer.set_weights([each.view(np.float32) for each in rounded])
