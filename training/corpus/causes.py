"""Labels of the causes: how much PESQ each kind of damage costs on its own, for every frame."""

import numpy as np

from aqscore.causes import CAUSES, CauseKind

# The cause that each of training.degradations.DEGRADATIONS stands for.
CAUSE_OF: dict[str, CauseKind] = {
    "reverb": "reverberation",
    "noise": "noise",
    "suppression": "suppression",
    "mnru": "coding",
    "gain": "level",
    "clipping": "clipping",
    "bandlimit": "band_limit",
    "quantisation": "coding",
    "codec": "coding",
    "packet_loss": "packet_loss",
}
# A degradation may do this, too: noise remains after its suppression, and codecs limit the band. Whether it
# does is not known, so these labels are left open.
SIDE_EFFECTS: dict[str, tuple[CauseKind, ...]] = {
    "suppression": ("noise",),
    "codec": ("band_limit",),
    "packet_loss": ("coding", "band_limit"),
    "gain": ("clipping", "noise"),
}


def costs_of(kinds: list[str], costs: list[float | None]) -> np.ndarray:
    """(causes,) float32: what each cause costs alone, MOS-LQO, from degradations and their costs.

    0 where a cause is absent, NaN where its cost is not known.
    """
    labels = np.zeros(len(CAUSES), np.float32)
    for kind in kinds:
        for effect in SIDE_EFFECTS.get(kind, ()):
            labels[CAUSES.index(effect)] = np.nan
    for kind, cost in zip(kinds, costs, strict=True):
        place = CAUSES.index(CAUSE_OF[kind])
        if cost is None:
            labels[place] = np.nan
        elif np.isnan(labels[place]) or cost > labels[place]:
            labels[place] = max(0.0, cost)
    return labels
