"""The audio track of a container to decode."""

from typing import Any

import numpy as np

SEARCH_S = 60.0  # in which sound is searched for
SEARCH_PACKETS = 20_000
SOUND_PEAK = 1e-3  # full scale 1.0


def flagged(tracks: list[Any]) -> list[Any]:
    """The tracks with the container's flag for the default one; all of them where none has it."""
    from av.stream import Disposition

    return [track for track in tracks if track.disposition & Disposition.default] or tracks


def first_with_sound(container: Any, tracks: list[Any], errors: tuple[type[Exception], ...]) -> int:
    """The index in the file of the first track with sound in the first minute, or else of the first one.

    Reads the container, which has to be opened again.
    """
    sounding = set()
    try:
        for number, packet in enumerate(container.demux(tracks)):
            if number > SEARCH_PACKETS or (packet.pts or 0) * packet.time_base > SEARCH_S:
                break
            if packet.stream.index not in sounding and _has_sound(packet, errors):
                sounding.add(packet.stream.index)
            if tracks[0].index in sounding:
                break
    except errors:
        pass
    return next((track.index for track in tracks if track.index in sounding), int(tracks[0].index))


def _has_sound(packet: Any, errors: tuple[type[Exception], ...]) -> bool:
    try:
        frames = packet.decode()
    except errors:
        return False
    return any(_peak(frame.to_ndarray()) > SOUND_PEAK for frame in frames)


def _peak(values: np.ndarray[Any, Any]) -> float:
    if values.dtype.kind == "f":
        return float(np.abs(values).max(initial=0))
    middle = 128 if values.dtype.kind == "u" else 0
    return float(np.abs(values.astype(np.float64) - middle).max(initial=0)) / (
        np.iinfo(values.dtype).max + 1.0
    )
