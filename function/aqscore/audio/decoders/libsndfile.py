"""WAV, FLAC, MP3, Ogg, AIFF and others, through libsndfile."""

import numpy as np
import soundfile


class Libsndfile:
    """WAV, FLAC, MP3, Ogg and more."""

    def __init__(self, descriptor: int) -> None:
        # By descriptor: a name such as take.raw would make libsndfile skip looking at the content.
        self._file = _Forward(descriptor, closefd=False)
        self.container, self.codec = self._file.format, self._file.subtype
        self.sample_rate_hz, self.channels = self._file.samplerate, self._file.channels
        self.claimed_frames = self._file.frames
        self.close = self._file.close

    def read(self, out: np.ndarray) -> tuple[int, str | None]:
        # What was decoded before an error is kept: soundfile itself would throw it away. It is told by
        # the NaNs that the decoder didn't overwrite.
        out.fill(np.nan)
        try:
            return len(self._file.read(out=out)), None
        except soundfile.LibsndfileError as error:
            missing = np.isnan(out).all(axis=1)
            return int(missing.argmax()) if missing.any() else len(out), reason_of(error)


class _Forward(soundfile.SoundFile):
    """Reads forward only. After each read of a seekable file soundfile seeks to where it should be, which
    fails, and loses what was read, in files that are shorter than they claim."""

    def seekable(self) -> bool:
        return False


def reason_of(error: soundfile.LibsndfileError) -> str:
    return error.error_string.rstrip(".")
