"""The kinds of damage that the model can name as the cause of a low score."""

from typing import Final, Literal, get_args

CauseKind = Literal[
    "noise",
    "reverberation",
    "clipping",
    "band_limit",
    "coding",
    "packet_loss",
    "suppression",
    "level",
]

# The order of the kinds in the network's outputs ``causes`` and ``costs``.
CAUSES: Final[tuple[CauseKind, ...]] = get_args(CauseKind)
