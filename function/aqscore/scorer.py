"""The library: ``score`` for one recording, ``Scorer`` for many."""

import logging
import math
import os
from collections.abc import Generator, Iterable
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypedDict, Unpack

from aqscore.config import Runtime, ScorerConfig
from aqscore.deadline import Deadline
from aqscore.errors import AqscoreError, BadRequest, PermanentError, RetryableError, SetupError
from aqscore.limits import Limits
from aqscore.model.loading import ModelFiles, load_model
from aqscore.pipeline import Channels, ScoreOptions, score_recording
from aqscore.report import ErrorRecord, FileSource, Report
from aqscore.scorer_pool import results_in_order
from aqscore.scorer_sources import Source, name_of, opened, sendable
from aqscore.scorer_start import EarlyWorkers, jobs_of_all_cores

logger = logging.getLogger(__name__)


class Options(TypedDict, total=False):
    """The options of Scorer.score."""

    sample_rate_hz: int | None
    channels: Channels
    frames: bool
    start_s: float
    end_s: float
    track: int | None
    time_limit_s: float


class Scorer:
    """Loads a model once and scores many recordings. Threads may share one scorer."""

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        runtime: Runtime = "onnx",
        threads: int = 1,
        limits: Limits | None = None,
    ) -> None:
        """Loads the model in the folder ``model``, by default the one that comes with the package.

        ``threads`` is the number of threads that the network may use. ``limits`` bounds each recording.
        Raises SetupError when an argument is out of range, or the model is missing, damaged, or made for
        another version.
        """
        defaults = ScorerConfig()
        self._config = ScorerConfig(
            model_dir=defaults.model_dir if model is None else Path(model),
            runtime=runtime,
            threads=threads,
            limits=limits or defaults.limits,
        )
        self._early: EarlyWorkers | None = None
        load_model(self._config)

    @classmethod
    def from_config(cls, config: ScorerConfig, early: EarlyWorkers | None = None) -> "Scorer":
        """A scorer of that configuration, whose model is checked, and loaded at the first recording.

        A process that scores with others needs no model of its own. ``score_many`` takes the ``early``
        workers before it starts any. Raises as the constructor does.
        """
        ModelFiles(config.model_dir, config.runtime)
        scorer = cls.__new__(cls)
        scorer._config, scorer._early = config, early
        return scorer

    def score(
        self,
        source: Source,
        *,
        sample_rate_hz: int | None = None,
        channels: Channels = "mix",
        frames: bool = True,
        start_s: float = 0.0,
        end_s: float = math.inf,
        track: int | None = None,
        time_limit_s: float = math.inf,
    ) -> Report:
        """Scores one recording.

        ``source`` is a path, the bytes of a file, an open binary file (scored from its beginning, or, where
        it can't be rewound, from its current position), or a float array of shape (n,) or (n, channels),
        full scale 1.0, with its ``sample_rate_hz``. ``channels="split"`` scores each channel as well as
        their mix, in one decode; a number scores that channel alone, counted from 1. ``frames=False`` leaves
        the scores of single frames out. ``start_s`` and ``end_s`` choose
        a part, in seconds from the beginning. ``track`` is the number of an audio track, counted from 1.

        Raises a PermanentError of aqscore.errors when the recording can't be scored, and OutOfTime after
        ``time_limit_s`` seconds, which include the time to read a pipe to its end. Only an object without a
        file descriptor whose ``read`` blocks can take longer.
        """
        options = ScoreOptions(channels, frames, start_s, end_s, track)
        deadline = Deadline(time_limit_s)
        with opened(source, sample_rate_hz, self._config.limits.max_bytes, deadline) as (name, audio):
            scores = score_recording(audio, self._config, options, deadline)
        return Report(source=FileSource(file=name), **dict(scores))

    def score_many(
        self, sources: Iterable[Source], *, jobs: int | None = None, **options: Unpack[Options]
    ) -> Generator[Report | ErrorRecord]:
        """Scores many recordings, ``jobs`` at a time, by default one for each core that this process may use.

        Yields a result for each source, in the order given, as soon as it and those before it are there: an
        ErrorRecord where ``score`` would raise a PermanentError or a RetryableError, or fail by a defect
        (``internal_error``, with the traceback in the log). ``options`` are those of ``score``, for all. A
        result is that of ``score`` to the last digit, whatever the other sources and ``jobs`` are;
        ``timing`` alone differs. Open files can't be scored in this way.

        With ``jobs=1``, or for one source, the recordings are scored in this process, each when its result
        is asked for. Otherwise each job is a process of its own with ``threads`` threads, started at the
        first result. Processes are ended when the iterator is exhausted, closed, or left by an exception. A
        recording whose process dies gets the error ``scorer_lost``; the others are scored by a new one.

        Raises BadRequest for wrong options, and SetupError when a process can't load the model.
        """
        if jobs is None:
            jobs = jobs_of_all_cores(self._config.threads)
        if not isinstance(jobs, int) or jobs < 1:
            raise BadRequest(f"jobs is {jobs!r}, expected a whole number above 0.")
        if unknown := options.keys() - Options.__annotations__.keys():
            raise BadRequest(
                f"Unknown options: {', '.join(sorted(unknown))}, expected those of Scorer.score."
            )
        ScoreOptions(
            options.get("channels", "mix"), True, options.get("start_s", 0.0), options.get("end_s", math.inf)
        )
        return self._results(sources, jobs, options)

    def _results(
        self, sources: Iterable[Source], jobs: int, options: Options
    ) -> Generator[Report | ErrorRecord]:
        """As score_many, whose arguments are checked."""
        named = ((name_of(source), source) for source in sources)
        first = list(islice(named, jobs))
        if len(first) > 1:
            sent = ((name, sendable(source)) for name, source in chain(first, named))
            yield from results_in_order(sent, len(first), self._config, options, self._early)
            return
        for name, source in chain(first, named):
            yield result_of(self, name, source, options)


def result_of(scorer: Scorer, name: str, source: Any, options: Options) -> Report | ErrorRecord:
    """The report, or the record of the error under the source's name. Raises SetupError."""
    try:
        if source is None or hasattr(source, "read"):
            raise BadRequest(
                "An open file can't be one of many sources: another process can't read it.",
                advice="Pass its path or its bytes.",
            )
        return scorer.score(source, **options)
    except SetupError:
        raise
    except (PermanentError, RetryableError) as error:
        return ErrorRecord.of(error, FileSource(file=name))
    except Exception as error:  # a defect, which must not fail the other recordings
        logger.exception("Unexpected error in %r", name)
        unexpected = AqscoreError(f"Scoring failed unexpectedly ({type(error).__name__}: {error}).")
        return ErrorRecord.of(unexpected, FileSource(file=name))


def score(
    source: Source,
    *,
    sample_rate_hz: int | None = None,
    channels: Channels = "mix",
    frames: bool = True,
    start_s: float = 0.0,
    end_s: float = math.inf,
    track: int | None = None,
    time_limit_s: float = math.inf,
) -> Report:
    """Scores one recording with the shipped model, which stays loaded. See Scorer.score."""
    return _default_scorer().score(
        source,
        sample_rate_hz=sample_rate_hz,
        channels=channels,
        frames=frames,
        start_s=start_s,
        end_s=end_s,
        track=track,
        time_limit_s=time_limit_s,
    )


@cache
def _default_scorer() -> Scorer:
    return Scorer()
