"""Reports and error records made up for the tests of the command's outputs."""

from aqscore.causes import CauseKind
from aqscore.errors import AqscoreError
from aqscore.report import (
    Cause,
    ErrorRecord,
    FileSource,
    Frames,
    MediaInfo,
    ModelInfo,
    Report,
    Segment,
    Signal,
    Timing,
    Warning,
)
from aqscore.scale import HIGHEST, HIGHEST_MOS, LOWEST, LOWEST_MOS, verdict_of


def report(
    file: str,
    score: float | None = 3.0,
    *,
    half_width: float = 0.1,
    warnings: list[Warning] | None = None,
    snr_db: float | None = None,
    worst_s: float = 1.0,
    duration_s: float = 10.0,
    mos: float | None = None,
    causes: list[Cause] | None = None,
) -> Report:
    interval = score and (max(LOWEST, score - half_width), min(HIGHEST, score + half_width))
    return Report(
        source=FileSource(file=file, size_bytes=1, modified="2026-01-01T00:00:00.000000+00:00"),
        media=MediaInfo(
            container="WAV",
            codec="PCM_16",
            sample_rate_hz=16_000,
            channels=1,
            duration_s=duration_s,
            bandwidth_hz=8_000,
        ),
        model=ModelInfo(name="aqscore", version="1.0.0", sha256="ab" * 32, runtime="onnx"),
        score=score,
        interval=interval,
        verdict=None if score is None else verdict_of(score),
        mos=mos,
        mos_interval=mos and (max(LOWEST_MOS, mos - 0.5), min(HIGHEST_MOS, mos + 0.5)),
        causes=causes,
        frames=None if score is None else Frames(hop_s=0.5, start_s=0.0, scores=[score] * 20),
        timeline=[],
        worst_segment=None
        if score is None
        else Segment(start_s=worst_s, end_s=worst_s + 1, score=max(LOWEST, score - 0.5)),
        distribution=None,
        signal=Signal(
            level_dbfs=-26.0,
            peak_dbfs=-3.0,
            clipped_share=0.0,
            silent_share=0.1,
            speech_share=0.7,
            snr_db=snr_db,
        ),
        warnings=warnings or [],
        timing=Timing(decode_s=0, features_s=0, model_s=0, total_s=0),
    )


def cause(kind: CauseKind, share: float = 0.5) -> Cause:
    return Cause(kind=kind, share=share, severity=0.8, from_s=1.0, to_s=2.0)


def failure(file: str, error: AqscoreError) -> ErrorRecord:
    return ErrorRecord.of(error, FileSource(file=file))
