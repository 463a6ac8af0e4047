"""The teachers of ``mos`` by name, and their mean."""

from pathlib import Path
from typing import Protocol

import numpy as np

DISTILL_MOS = "distillmos"  # in place of a file: this package brings its own weights


class Teacher(Protocol):
    """Predicts listeners' scores without a reference."""

    def score(self, samples: np.ndarray) -> float:
        """MOS, about 1 to 5, of (n,) samples at 16 kHz."""
        ...


class MeanTeacher:
    """The mean of several teachers: where their errors are independent, it errs less than each."""

    def __init__(self, teachers: list[Teacher]) -> None:
        self._teachers = teachers

    def score(self, samples: np.ndarray) -> float:
        return float(np.mean([teacher.score(samples) for teacher in self._teachers]))


def load_teacher(names: list[str]) -> Teacher:
    """The mean of the named teachers: "distillmos", or the file of DNSMOS Pro's weights.

    Raises ValueError when a file or a package is missing, or a file does not hold these weights.
    """
    return MeanTeacher([_load(name) for name in names])


def _load(name: str) -> Teacher:
    if name != DISTILL_MOS:
        if not Path(name).is_file():
            raise ValueError(
                f"The teacher {name} is no file, expected the file of DNSMOS Pro's weights or {DISTILL_MOS}."
            )
        from training.teachers.dnsmos_pro import DnsmosPro  # imports TensorFlow

        return DnsmosPro(Path(name))
    try:
        from training.teachers.distill_mos import DistillMos  # imports PyTorch
    except ImportError as error:
        raise ValueError(
            f"{error}, expected the package distillmos: install the extra with "
            ".venv/bin/pip install -e '.[teachers]', or leave this teacher out."
        ) from error
    return DistillMos()
