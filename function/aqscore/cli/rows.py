"""Results in a file or a pipe, each written as soon as it is there: TSV, CSV, JSON lines, JSON."""

import csv
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import IO, Any

from aqscore.cli.escaping import printable, spreadsheet_cell
from aqscore.cli.scoring import Result
from aqscore.report import ErrorRecord, FileSource

COLUMNS = (
    "file", "score", "lower", "upper", "verdict", "worst_score", "worst_start_s", "duration_s",
    "speech_share", "snr_db", "level_dbfs", "warnings", "error", "size_bytes", "modified", "model",
    "mos", "cause",
)  # fmt: skip


def file_of(result: Result) -> str:
    """The path of the recording that a result is for."""
    return source_of(result).file


def source_of(result: Result) -> FileSource:
    """The local file that a result is for."""
    assert isinstance(result.source, FileSource)
    return result.source


def model_label(version: str, sha256: str) -> str:
    """The version of a model, and the beginning of its checksum."""
    return f"{version}+{sha256[:12]}"


class Rows(ABC):
    """Writes results to an open text file."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def begin(self) -> None:  # noqa: B027  most forms have nothing before the first result
        """Writes the header, at the beginning of a new file."""

    def add(self, result: Result) -> None:
        """Writes one result, whole."""
        self.write(result)
        self._file.flush()

    @abstractmethod
    def write(self, result: Result) -> None: ...

    def finish(self) -> None:
        """Writes the footer."""
        self._file.flush()


class _Cells(Rows):
    """One line a recording, in the order given; a column that does not apply is left empty."""

    dialect: dict[str, Any]
    escape: Callable[[str], str]

    def __init__(self, file: IO[str]) -> None:
        super().__init__(file)
        self._table = csv.writer(file, lineterminator="\n", **self.dialect)

    def begin(self) -> None:
        self._table.writerow(COLUMNS)

    def write(self, result: Result) -> None:
        cells = _cells(result)
        escape = type(self).escape
        values = map(cells.get, COLUMNS)
        self._table.writerow([escape(each) if isinstance(each, str) else each for each in values])


class Tsv(_Cells):
    """Tab-separated, never quoted: no cell holds a tab or the end of a line."""

    dialect = {"delimiter": "\t", "quoting": csv.QUOTE_NONE, "quotechar": None}
    escape = staticmethod(printable)


class Csv(_Cells):
    """Comma-separated, as spreadsheets read it."""

    dialect = {}
    escape = staticmethod(spreadsheet_cell)


class JsonLines(Rows):
    """One JSON document a line."""

    def write(self, result: Result) -> None:
        self._file.write(result.model_dump_json() + "\n")


class Json(Rows):
    """One JSON array."""

    _separator = "[\n"

    def write(self, result: Result) -> None:
        self._file.write(self._separator + result.model_dump_json())
        self._separator = ",\n"

    def finish(self) -> None:
        self._file.write("[]\n" if self._separator == "[\n" else "\n]\n")
        super().finish()


FORMATS: dict[str, type[Rows]] = {"tsv": Tsv, "csv": Csv, "jsonl": JsonLines, "json": Json}


def _cells(result: Result) -> dict[str, Any]:
    source = source_of(result)
    common = {"file": source.file, "size_bytes": source.size_bytes, "modified": source.modified}
    if isinstance(result, ErrorRecord):
        error = result.error
        return common | {"error": f"{error.type}: {error.message} {error.advice}"}
    lower, upper = result.interval or (None, None)
    worst = result.worst_segment
    return common | {
        "score": result.score,
        "lower": lower,
        "upper": upper,
        "verdict": result.verdict,
        "worst_score": worst and worst.score,
        "worst_start_s": worst and worst.start_s,
        "duration_s": result.media.duration_s,
        "speech_share": result.signal.speech_share,
        "snr_db": result.signal.snr_db,
        "level_dbfs": result.signal.level_dbfs,
        "warnings": " ".join(warning.code for warning in result.warnings),
        "model": model_label(result.model.version, result.model.sha256),
        "mos": result.mos,
        "cause": result.causes[0].kind if result.causes else None,
    }
