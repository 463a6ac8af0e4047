"""Weights from one network to another: from those trained to what is served, and back to train on."""

import keras

from training.network.model import Config, build


def exported(config: Config, trained: keras.Model) -> keras.Model:
    """The network of ``build`` with the weights of one that ``build`` or ``build_for_training`` made."""
    network = build(config)
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(trained.get_layer(layer.name).get_weights())
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
            "that the run began with: name what training.network.train was given as --from."
        )
    mean = keras.models.clone_model(end)
    mean.set_weights([(one + other) / 2 for one, other in zip(before, after, strict=True)])
    return mean


def begin_from(network: keras.Model, source: keras.Model) -> None:
    """Gives ``network`` the weights of the layers that it shares by name with ``source``.

    Raises ValueError when a layer differs, or none is shared.
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
                "the start, or with the configuration of that network."
            )
        network.get_layer(name).set_weights(old)
