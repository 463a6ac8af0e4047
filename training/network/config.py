"""The network's sizes and its training settings. The defaults are those of the shipped model."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Config:
    """Sizes of the network and settings of its training; ``Config()`` is the shipped network."""

    channels: int = 128  # of the convolutions over time
    maps: tuple[int, ...] = (
        16,
        24,
        32,
        32,
    )  # of those over time and bands; each but the first halves the bands
    fine: int = 64  # width of the trained projection of the log magnitudes
    units: int = 128  # of the bidirectional LSTM, in each direction
    shared: int = 64  # width of the layer between the recurrence and the heads
    described: int = 96  # width of the layer between the recurrence and the heads of mos and causes
    power: float = 3.0  # of the power mean that pools the frames' scores
    dropout: float = 0.15
    denoise: float = 0.5  # weight of the auxiliary denoising loss
    learning_rate: float = 1.5e-3  # the highest of the schedule: warm-up, then cosine decay
    average_power: float = 2.0  # of a step's number, as its weights count in the exported average

    def as_dict(self) -> dict[str, Any]:
        """The settings as run.json and model.json hold them."""
        return asdict(self) | {"maps": list(self.maps)}
