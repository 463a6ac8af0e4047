"""``aqscore score``: recordings to a table, to rows for programs, to a plot or a page.

It starts the processes that score before it imports most modules: all of them import at once.
"""

import argparse
from collections.abc import Sequence

from aqscore.cli import score_options
from aqscore.cli.escaping import printable
from aqscore.cli.inputs import STANDARD_INPUT, Input, Selection, listed, suitable_jobs
from aqscore.cli.interrupts import exit_on_interrupt
from aqscore.config import ScorerConfig
from aqscore.errors import AqscoreError, BadRequest
from aqscore.scorer_start import EarlyWorkers, jobs_of_all_cores

EXIT_WRONG = 2  # the model, a setting, an option or an output


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of ``aqscore score``."""
    score_options.add_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Scores all inputs, and returns the exit status, as docs/command-line.md has it."""
    try:
        with EarlyWorkers() as workers:
            with exit_on_interrupt(workers.kill):
                config = ScorerConfig.from_env()
                selection = Selection(options.include, options.exclude)
                inputs = list(selection.find(_named(options)))
                workers.start(_early_jobs(options, inputs, config))
                from aqscore.cli.score_run import Run

                prepared = Run(options, config, selection, inputs, workers)
            return prepared.execute()
    except AqscoreError as error:
        _print_error(f"{error.message} {error.advice}")
    except BrokenPipeError:
        raise
    except OSError as error:
        from aqscore.cli.outputs import discard_output

        _print_error(f"An output can't be written: {error}.")
        discard_output()
    return EXIT_WRONG


def _named(options: argparse.Namespace) -> list[Input | str]:
    """The paths of the arguments and of the lists. Raises BadRequest."""
    if [*options.paths, *options.files_from].count(STANDARD_INPUT) > 1:
        raise BadRequest("Standard input can be read only once.", advice="Name - once.")
    return [*options.paths, *(entry for each in options.files_from for entry in listed(each))]


def _early_jobs(options: argparse.Namespace, inputs: Sequence[Input], config: ScorerConfig) -> int:
    """The number of processes that will score beside this one, 0 where it isn't known yet."""
    if options.resume:  # which leaves inputs out
        return 0
    jobs = options.jobs or suitable_jobs(inputs) or jobs_of_all_cores(config.threads)
    jobs = min(jobs, len(inputs))
    return jobs if jobs > 1 else 0


def _print_error(text: str) -> None:
    from rich.console import Console

    messages = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    messages.print(printable(text), style="red")
