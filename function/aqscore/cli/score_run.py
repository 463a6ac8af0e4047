"""A run of ``aqscore score``: the checks before it, the results, and the lines at its end."""

import argparse
import shlex
import sys
import time
from contextlib import closing
from pathlib import Path

from rich.console import Console

from aqscore.cli.escaping import printable
from aqscore.cli.inputs import SUFFIXES, Input, Selection, suitable_jobs
from aqscore.cli.interrupts import EXIT_INTERRUPTED, Interrupts
from aqscore.cli.outputs import EXPORTS, STANDARD_OUTPUT, Outputs, check_outputs, chosen_format
from aqscore.cli.progress import progress_bar
from aqscore.cli.resume import RESUMABLE, resume
from aqscore.cli.rows import model_label
from aqscore.cli.scoring import results_of
from aqscore.cli.tally import Tally, skipped_line
from aqscore.config import ScorerConfig
from aqscore.errors import BadRequest
from aqscore.model.loading import ModelFiles
from aqscore.pipeline import ScoreOptions
from aqscore.report import read_document
from aqscore.scorer import Options, Scorer
from aqscore.scorer_start import EarlyWorkers

EXIT_FAILED = 1  # a recording could not be scored
EXIT_BELOW = 3  # --fail-under


class Run:
    """One run of the command."""

    def __init__(
        self,
        options: argparse.Namespace,
        config: ScorerConfig,
        selection: Selection,
        inputs: list[Input],
        workers: EarlyWorkers,
    ) -> None:
        """Checks everything before any work. Raises BadRequest and SetupError."""
        self._options, self._config, self._selection, self._inputs = options, config, selection, inputs
        self._messages = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._scorer = Scorer.from_config(config, workers)
        self._format = chosen_format(options)
        _check_options(options, self._format)
        check_outputs(options, self._inputs)
        self._tally = Tally(options.fail_under)

    def execute(self) -> int:
        """Scores, writes, and returns the exit status. Raises OSError where an output can't be written."""
        if not self._inputs:
            self._print_nothing_found()
            return EXIT_FAILED
        started = time.monotonic()
        interrupted = False
        with Interrupts() as interrupts, Outputs(self._options, self._format) as outputs:
            self._resume(outputs)
            outputs.open()
            try:
                self._score(outputs, interrupts)
            except KeyboardInterrupt:
                interrupted = True
            outputs.finish()
        if not self._options.quiet:
            self._print_summary(time.monotonic() - started, interrupted=interrupted)
        if interrupted:
            return EXIT_INTERRUPTED
        if self._tally.failed:
            return EXIT_FAILED
        low = self._options.fail_under is not None and (self._tally.below or self._tally.unscored)
        return EXIT_BELOW if low else 0

    def _resume(self, outputs: Outputs) -> None:
        """With --resume, leaves out the inputs that the output has already, and counts their results."""
        if not self._options.resume:
            return
        model = ModelFiles(self._config.model_dir, self._config.runtime)
        label = model_label(model.info["version"], model.sha256)
        path = Path(self._options.output)
        self._inputs, rows = resume(path, self._format, self._inputs, label)
        for row in rows:
            self._tally.add_earlier(failed=row.failed, score=row.score)
            if outputs.exports:
                outputs.add_earlier(read_document(row.line))

    def _score(self, outputs: Outputs, interrupts: Interrupts) -> None:
        """Passes each result on. Raises KeyboardInterrupt between two results."""
        options = self._options
        scoring: Options = {
            "channels": options.channels,
            "frames": outputs.show_frames and not options.no_frames,
            "start_s": options.start,
            "end_s": options.end,
            "track": options.track,
        }
        jobs = options.jobs or suitable_jobs(self._inputs)
        results = results_of(self._inputs, self._scorer, jobs, self._config.limits.max_bytes, scoring)
        rows_in_terminal = self._format != "table" and outputs.standard and sys.stdout.isatty()
        shown = self._messages.is_terminal and not options.quiet and not rows_in_terminal
        with closing(results), progress_bar(self._messages, len(self._inputs), shown=shown) as advance:
            while True:
                with interrupts.allowed():
                    result = next(results, None)
                if result is None:
                    return
                outputs.add(result)
                self._tally.add(result)
                advance()

    def _print_nothing_found(self) -> None:
        named = ", ".join(map(printable, [*self._options.paths, *self._options.files_from]))
        text = f"No recordings in {named}."
        if self._selection.skipped:
            text += f" {skipped_line(self._selection.skipped)}."
        self._messages.print(f"{text} Suffixes taken from folders: {' '.join(sorted(SUFFIXES))}")

    def _print_summary(self, elapsed_s: float, *, interrupted: bool) -> None:
        skipped = self._selection.skipped
        if self._format == "table" and sys.stdout.isatty():
            self._messages.print()
        if skipped:
            self._messages.print(skipped_line(skipped))
        if interrupted:
            done, total = self._tally.finished, len(self._inputs)
            self._messages.print(
                f"Interrupted: {done:,} of {total:,} recordings were scored. {self._how_to_resume()}"
            )
        self._messages.print(self._tally.line(skipped.total(), elapsed_s), style="bold")

    def _how_to_resume(self) -> str:
        if not self._options.output or self._format not in RESUMABLE:
            return "With --output scores.jsonl, a run can be resumed."
        arguments = [each for each in self._options.arguments if each != "--resume"]
        return f"To go on: aqscore {printable(shlex.join([*arguments, '--resume']))}"


def _check_options(options: argparse.Namespace, form: str) -> None:
    """Raises BadRequest for options that don't go together."""
    if not options.paths and not options.files_from:
        raise BadRequest("No recording is named.", advice="Name a recording, a folder, -, or --files-from.")
    ScoreOptions(options.channels, start_s=options.start, end_s=options.end)
    if options.sort and form != "table":
        raise BadRequest(
            f"--sort is for the table; rows of {form} are written as they come.", advice="Leave it out."
        )
    if not options.resume:
        return
    if options.output in (None, STANDARD_OUTPUT) or form not in RESUMABLE:
        raise BadRequest(
            "--resume needs --output with a file of JSON lines, CSV or TSV.",
            advice="For example: --output scores.jsonl --resume",
        )
    if form != "jsonl" and any(getattr(options, name) for name in EXPORTS):
        raise BadRequest(
            "--resume with --csv, --plot or --report needs an output of JSON lines.",
            advice="For example: --output scores.jsonl",
        )
