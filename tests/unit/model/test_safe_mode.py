"""A Keras file can hold Python code, in a Lambda layer. It is refused, never run."""

import pytest

from aqscore.model.runtimes import TensorFlowNetwork


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:keras")
def test_code_in_a_model_is_not_run(tmp_path):
    import keras

    ran = tmp_path / "ran"
    inputs = keras.Input((4,))
    outputs = keras.layers.Lambda(lambda x, path=str(ran): (open(path, "w").close(), x)[1])(inputs)  # noqa: PTH123
    path = tmp_path / "model.keras"
    keras.Model(inputs, outputs).save(path)
    ran.unlink()  # it ran while the model was made
    with pytest.raises(ValueError, match="safe_mode"):
        TensorFlowNetwork(path, threads=1)
    assert not ran.exists()
