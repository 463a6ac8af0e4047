"""The model: a network and its model.json, checked when loaded, loaded once per process."""

import hashlib
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from aqscore.causes import CAUSES
from aqscore.config import Runtime, ScorerConfig
from aqscore.errors import SetupError
from aqscore.model.features import SPEC
from aqscore.model.runtimes import NETWORKS, Network
from aqscore.model.score_stream import ScoreStream
from aqscore.model.speech_level import SpeechLevel
from aqscore.scale import SCALE

# Parts of model.json, and a value in each, that earlier versions of the export didn't write.
REQUIRED = (
    ("no_speech", "clearest_speech"),
    ("interval", "short_speech"),
    ("pooling", "power"),
    ("mos", "interval"),
    ("causes", "kinds"),
    ("causes", "threshold"),
)
INCOMPLETE_MODEL_ADVICE = "Copy model.json and its files together, or export the model again."


def read_model_info(folder: Path) -> dict[str, Any]:
    """The contents of a model's model.json.

    Raises SetupError when there is none, or it describes no model.
    """
    try:
        info: dict[str, Any] = json.loads((folder / "model.json").read_text())
    except OSError as error:
        raise SetupError(
            f"There is no model in {folder} ({error.strerror}), expected model.json there.",
            advice="Name a folder that holds an exported model (AQSCORE_MODEL_DIR, or the argument model).",
        ) from None
    except ValueError:
        info = {}
    if not isinstance(info, dict) or not {"name", "version"} <= info.keys():
        raise SetupError(
            f"{folder / 'model.json'} is not the description of a model.",
            advice="Export the model again, or restore the file.",
        )
    return info


class ModelFiles:
    """The files of a model, checked: a hundredth of the time that it takes to load them."""

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        """Reads the files in a folder for one of the runtimes of ``NETWORKS``.

        Raises SetupError when files are missing or changed, when the model was made for features, a scale or
        rules other than this version's, or when the runtime is not installed.
        """
        self.info = read_model_info(folder)
        self._check_fit()
        network = NETWORKS[runtime]
        file = self.info["files"][network.file]
        self.path = folder / file["name"]
        try:
            self.sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            raise SetupError(
                f"{self.path} can't be read ({error.strerror}), and model.json names it.",
                advice=INCOMPLETE_MODEL_ADVICE,
            ) from None
        if self.sha256 != file["sha256"]:
            raise SetupError(
                f"{self.path.name} is not the file that model.json describes (sha256 {self.sha256[:12]}..., "
                f"expected {file['sha256'][:12]}...).",
                advice=INCOMPLETE_MODEL_ADVICE,
            )
        if find_spec(network.package) is None:
            raise SetupError(
                f"The runtime {runtime} needs the package {network.package}, which is not installed.",
                advice="Install it (pip install 'aqscore[train]' for tensorflow), or choose another runtime.",
            )

    def _check_fit(self) -> None:
        """Raises SetupError when the model was made for other features, scale or rules."""
        found, expected = self.info.get("features", {}), SPEC.as_dict()
        if differences := [
            f"{name} is {found.get(name)!r}, expected {expected.get(name)!r}"
            for name in sorted(found.keys() | expected.keys())
            if found.get(name) != expected.get(name)
        ]:
            raise SetupError(
                f"Model {self.info.get('version')} was trained on other features: {'; '.join(differences)}.",
                advice="Train and export it again with this version of function/aqscore/model/features.py.",
            )
        if self.info.get("scale") != SCALE:
            raise SetupError(
                f"Model {self.info.get('version')} scores on the scale {self.info.get('scale')!r}, expected "
                f"{SCALE!r}: reports and verdicts are on that one.",
                advice="Train it on labels of that scale.",
            )
        for part, name in REQUIRED:
            if name not in (self.info.get(part) or {}):
                raise SetupError(
                    f"Model {self.info.get('version')} has {part} {self.info.get(part)}, expected {name} in "
                    "it: an older version wrote it.",
                    advice="Export it again with this version of training.release.export.",
                )
        if (kinds := self.info["causes"]["kinds"]) != list(CAUSES):
            raise SetupError(
                f"Model {self.info.get('version')} tells the causes {kinds}, expected {list(CAUSES)}.",
                advice="Train and export it again with this version of function/aqscore/causes.py.",
            )


class Model(ModelFiles):
    """A network and the contents of its model.json."""

    def __init__(self, folder: Path, runtime: Runtime, threads: int = 1) -> None:
        """Loads the network of a folder, to use that many threads. Raises as ModelFiles does."""
        super().__init__(folder, runtime)
        self.runtime: Runtime = runtime
        self.speech_probability: float = self.info["no_speech"]["speech_probability"]
        self.power: float = self.info["pooling"]["power"]
        self.cause_thresholds: list[float] = self.info["causes"]["threshold"]
        self.network: Network = NETWORKS[runtime](self.path, threads)
        # The first call takes longer: the runtime allocates memory, and TensorFlow traces its graph. Do it
        # now (in Lambda: during the init) rather than in the first recording.
        self.network(np.zeros((1, SPEC.bins), np.float32))

    def stream(self) -> ScoreStream:
        """A stream that scores the frames of one recording."""
        network = SpeechLevel(self.network, self.speech_probability)
        return ScoreStream(network, **self.info["window"])


def load_model(config: ScorerConfig) -> Model:
    """The process's model; the first call loads it, later ones return it."""
    return _load(config.model_dir, config.runtime, config.threads)


@cache
def _load(folder: Path, runtime: Runtime, threads: int) -> Model:
    return Model(folder, runtime, threads)
