"""Weights from one network to another: from the trained one to what is served, and back to train on."""

import keras
import numpy as np

from training.bands import BIN_HZ, warped
from training.network import HEARD_BINS, Config, build

VIEWS = (1.2, 0.8)  # vocal tract lengths as of which the served network hears a recording
READ_THE_SPECTRUM = ("bands", "fine")


def exported(config: Config, trained: keras.Model, lengths: tuple[float, ...] = (1.0,)) -> keras.Model:
    """The network of ``build`` with the weights of one that ``build`` or ``build_for_training`` made.

    It hears a recording as of vocal tracts of these ``lengths``, a view each. They cost no time: they are
    in the weights of the two layers that read the spectrum (docs/decisions/0024, 0025).
    """
    network = build(config, len(lengths))
    for layer in network.layers:
        if layer.weights:
            weights = trained.get_layer(layer.name).get_weights()
            if layer.name in READ_THE_SPECTRUM:
                views = [_heard_as(length, weights) for length in lengths]
                weights = [np.concatenate(each, axis=-1) for each in zip(*views, strict=True)]
            layer.set_weights(weights)
    return network


def halfway(beginning: keras.Model, end: keras.Model) -> keras.Model:
    """``end`` with the means of its weights and of those that its run began with.

    It keeps more of what was known before, and errs less on what neither met (Wortsman et al., Robust
    fine-tuning of zero-shot models, CVPR 2022). Raises ValueError when the two are not of one kind.
    """
    before, after = beginning.get_weights(), end.get_weights()
    if [each.shape for each in before] != [each.shape for each in after]:
        raise ValueError(
            f"{beginning.name} and {end.name} differ in the shapes of their weights, expected the network "
            "that the run began with: name what training.train was given as --from."
        )
    mean = keras.models.clone_model(end)
    mean.set_weights([(one + other) / 2 for one, other in zip(before, after, strict=True)])
    return mean


def served(config: Config, network: keras.Model) -> keras.Model:
    """The network as it is served: ``exported`` at ``VIEWS``; without a front there is nothing to warp."""
    return exported(config, network, VIEWS if config.front else (1.0,))


def _heard_as(length: float, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Kernel, and bias if there is one, of a layer that reads the spectrum, as of that vocal tract length."""
    kernel, *bias = weights
    if length == 1.0:
        return weights
    warp = warped(np.eye(HEARD_BINS, dtype=np.float32), BIN_HZ[:HEARD_BINS], length)
    return [warp @ kernel, *bias]


def begin_from(network: keras.Model, source: keras.Model) -> None:
    """Gives ``network`` the weights of the layers that it shares by name with ``source``.

    Of a served network, what reads the spectrum hears as it did before it was given its vocal tracts.
    Raises ValueError when a layer differs, or none is shared.
    """
    shared = {layer.name for layer in source.layers if layer.trainable_weights}
    shared &= {layer.name for layer in network.layers if layer.trainable_weights}
    if not shared:
        raise ValueError(
            f"{source.name} shares no layer with {network.name}, expected a network of the same kind: "
            "name a model.keras that training.export wrote."
        )
    for name in sorted(shared):
        old, new = (each.get_layer(name).get_weights() for each in (source, network))
        width = new[0].shape[-1]
        if name in READ_THE_SPECTRUM and old[0].shape[-1] == len(VIEWS) * width:
            old = _heard_as(1 / VIEWS[0], [values[..., :width] for values in old])
        shapes = [[values.shape for values in weights] for weights in (old, new)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"Layer {name} of {source.name} has weights {shapes[0]}, expected {shapes[1]}: train from "
                "the start, or with the configuration of that network."
            )
        network.get_layer(name).set_weights(old)
