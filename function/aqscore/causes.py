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

# In plain words, at the beginning of a sentence. page/causes.js has the same.
CAUSE_NAMES: Final[dict[CauseKind, str]] = {
    "noise": "Noise",
    "reverberation": "Reverberation",
    "clipping": "Clipping",
    "band_limit": "Narrow band",
    "coding": "Coding artefacts",
    "packet_loss": "Dropouts",
    "suppression": "Noise suppression artefacts",
    "level": "Level changes",
}


def cause_words(kind: CauseKind, share: float) -> str:
    """A cause and the share of the speech that has it, 0 to 1, in words: Clipping 5%."""
    return f"{CAUSE_NAMES[kind]} {'<1%' if 0 < share < 0.01 else f'{share:.0%}'}"
