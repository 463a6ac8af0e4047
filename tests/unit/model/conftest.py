"""The shipped model, loaded once for all tests of this folder."""

import pytest

from aqscore.config import ScorerConfig
from aqscore.model.loading import Model


@pytest.fixture(scope="session")
def onnx() -> Model:
    """The shipped model in ONNX Runtime."""
    return Model(ScorerConfig().model_dir, "onnx")
