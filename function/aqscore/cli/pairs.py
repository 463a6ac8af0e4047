"""Two versions of the same recordings: which belong together, and where and by which causes they differ."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aqscore.causes import CAUSES, CauseKind
from aqscore.report import Report, Segment

MIN_DIFFERENCE = 0.5  # MOS-LQO: smaller differences of a second are common in equally good versions


@dataclass(frozen=True)
class Matches:
    """Files of the same name in two folders, and the names that only one of them has."""

    pairs: Mapping[str, tuple[Path, Path]]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]


@dataclass(frozen=True)
class Stretch:
    """Neighbouring seconds in which the second version differs, all in one direction."""

    start_s: float
    end_s: float
    first: float  # lowest score of a second
    second: float
    cause: CauseKind | None = None  # of the lowest score of both; None where the model names none


def match(first: Path, second: Path, files_first: Iterable[Path], files_second: Iterable[Path]) -> Matches:
    """Pairs the files of two folders by their path in it: with the suffix, else without it.

    A recording and its version in another format, ``a/call.wav`` and ``b/call.mp3``, are a pair, unless
    several files of a folder have that name.
    """
    left = {path.relative_to(first).as_posix(): path for path in files_first}
    right = {path.relative_to(second).as_posix(): path for path in files_second}
    pairs = {name: (left.pop(name), right.pop(name)) for name in sorted(left.keys() & right.keys())}
    stems_left, stems_right = _by_stem(left), _by_stem(right)
    for stem in sorted(stems_left.keys() & stems_right.keys()):
        names = stems_left[stem], stems_right[stem]
        if len(names[0]) == len(names[1]) == 1:
            pairs[stem] = left.pop(names[0][0]), right.pop(names[1][0])
    return Matches(dict(sorted(pairs.items())), tuple(sorted(left)), tuple(sorted(right)))


def stretches(first: Report, second: Report) -> list[Stretch]:
    """The stretches in which seconds differ by MIN_DIFFERENCE or more, the largest difference first.

    Seconds are compared by their time, so the recordings must be aligned.
    """
    others = {segment.start_s: segment for segment in second.timeline}
    found: list[list[tuple[Segment, Segment]]] = []
    previous: tuple[float, bool] | None = None
    for one in first.timeline:
        other = others.get(one.start_s)
        if other is None or abs(other.score - one.score) < MIN_DIFFERENCE:
            continue
        better = other.score > one.score
        if previous != (one.start_s, better):
            found.append([])
        found[-1].append((one, other))
        previous = one.end_s, better
    return sorted(map(_stretch, found), key=lambda each: -abs(each.second - each.first))


def _stretch(seconds: Sequence[tuple[Segment, Segment]]) -> Stretch:
    worst = min((segment for pair in seconds for segment in pair), key=lambda segment: segment.score)
    first, second = (min(segment.score for segment in side) for side in zip(*seconds, strict=True))
    return Stretch(seconds[0][0].start_s, seconds[-1][0].end_s, first, second, worst.cause)


def changed_causes(pairs: Iterable[tuple[Report, Report]]) -> list[tuple[CauseKind, int, int]]:
    """The causes that more or fewer of the second versions have: how many of both, the largest change first.

    Pairs of which a report names no causes, because its model doesn't, are left out.
    """
    counts = {kind: [0, 0] for kind in CAUSES}
    for pair in pairs:
        if any(report.causes is None for report in pair):
            continue
        for side, report in enumerate(pair):
            for cause in report.causes or ():
                counts[cause.kind][side] += 1
    changed = [(kind, first, second) for kind, (first, second) in counts.items() if first != second]
    return sorted(changed, key=lambda each: -abs(each[2] - each[1]))


def _by_stem(names: Iterable[str]) -> dict[str, list[str]]:
    stems: dict[str, list[str]] = defaultdict(list)
    for name in names:
        stems[str(Path(name).with_suffix(""))].append(name)
    return stems
