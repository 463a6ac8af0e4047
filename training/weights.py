"""Weights from one network to another: from the trained one to what is served, and back to train on."""

import keras
import numpy as np

from function.features import SPEC
from training.bands import BIN_HZ, warped
from training.network import HEARD_BINS, Config, build

VIEWS = (1.2, 0.8)  # vocal tract lengths as of which the two served networks hear a recording
FIRST, SECOND = "first", "second"  # names of the two networks in the served one


def exported(config: Config, trained: keras.Model) -> keras.Model:
    """The network of ``build`` with the weights of one that ``build_for_training`` made."""
    network = build(config)
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(trained.get_layer(layer.name).get_weights())
    return network


def served(network: keras.Model, beside: keras.Model | None = None) -> keras.Model:
    """The network as it is served: what ``mean_of`` makes of two, each as of a vocal tract of another length.

    ``network``, made by ``build``, is both of them; or, where ``beside`` is given, another served network,
    the second, and the first is that one's first, as it is there. ``VIEWS``, the lengths, cost no time: they
    are in the weights of the two layers that read the spectrum (docs/decisions/0024, 0025). Raises
    ValueError when ``beside`` is not a served network.
    """
    first = parts(beside)[0] if beside else _heard_as(VIEWS[0], network, FIRST)
    return mean_of(first, _heard_as(VIEWS[1], network, SECOND))


def mean_of(first: keras.Model, second: keras.Model) -> keras.Model:
    """Inputs and outputs are those of ``build``: means of both, but for whether somebody speaks.

    That the first alone says: noise that the second takes for speech lifts a mean (docs/decisions/0067).
    """
    frames = keras.Input((None, SPEC.bins), name="frames")
    one, other = first(frames), second(frames)
    outputs = {name: (one[name] + other[name]) / 2 for name in ("score", "weight")}
    return keras.Model(frames, outputs | {"speech": one["speech"]}, name="aqscore")


def parts(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """The two networks of a served one. Raises ValueError when it is none."""
    if not {FIRST, SECOND} <= {layer.name for layer in model.layers}:
        raise ValueError(
            f"{model.name} is no network that is served, expected a model.keras that training.export wrote: "
            "export its run by itself first."
        )
    return model.get_layer(FIRST), model.get_layer(SECOND)


def _heard_as(length: float, network: keras.Model, name: str) -> keras.Model:
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    warp = warped(np.eye(HEARD_BINS, dtype=np.float32), BIN_HZ[:HEARD_BINS], length)
    for layer in copy.layers:
        if layer.name in ("bands", "fine"):
            kernel, *bias = layer.get_weights()
            layer.set_weights([warp @ kernel, *bias])
    return keras.Model(copy.input, copy.output, name=name)


def begin_from(network: keras.Model, source: keras.Model) -> None:
    """Gives ``network`` the weights of the layers that it shares by name with ``source``.

    Where a layer has grown more inputs than its namesake, those begin at zero: at first the network says
    what ``source`` said. Of a served network it is the first of the two, and hears as it did before it was
    given its vocal tract. Raises ValueError when a layer differs otherwise, or none is shared.
    """
    if FIRST in {layer.name for layer in source.layers}:
        source = _heard_as(1 / VIEWS[0], source.get_layer(FIRST), FIRST)
    shared = {layer.name for layer in source.layers if layer.trainable_weights}
    shared &= {layer.name for layer in network.layers if layer.trainable_weights}
    if not shared:
        raise ValueError(
            f"{source.name} shares no layer with {network.name}, expected a network of the same kind: "
            "name a model.keras that training.export wrote."
        )
    for name in sorted(shared):
        grown = []
        for old, new in zip(
            source.get_layer(name).get_weights(), network.get_layer(name).get_weights(), strict=True
        ):
            more = new.shape[0] - old.shape[0]
            if old.shape[1:] != new.shape[1:] or more < 0:
                raise ValueError(
                    f"Layer {name} of {source.name} has weights {old.shape}, expected {new.shape} or fewer "
                    "inputs: train from the start, or with the configuration of that network."
                )
            grown.append(np.pad(old, [(0, more)] + [(0, 0)] * (old.ndim - 1)))
        network.get_layer(name).set_weights(grown)
