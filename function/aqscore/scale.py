"""The scales: PESQ-WB's MOS-LQO with its five verdicts, and listeners' MOS."""

from typing import Final, Literal

SCALE: Final = "PESQ-WB MOS-LQO"
# The range of ITU-T P.862.2's mapping, rounded to two digits.
LOWEST, HIGHEST = 1.04, 4.64
# Of listeners' mean opinion scores: absolute category rating, ITU-T P.800, annex B.
LOWEST_MOS, HIGHEST_MOS = 1.0, 5.0

Verdict = Literal["bad", "poor", "fair", "good", "excellent"]

# The score from which each class begins, best class first. MOS-LQO compresses both ends of the five-point
# scale of ITU-T P.800, so the classes are cut at its halves and the top class at 4.0.
VERDICTS: tuple[tuple[float, Verdict], ...] = (
    (4.0, "excellent"),
    (3.5, "good"),
    (2.75, "fair"),
    (2.0, "poor"),
    (LOWEST, "bad"),
)


def verdict_of(score: float) -> Verdict:
    """The class of a MOS-LQO score."""
    return next((word for threshold, word in VERDICTS if score >= threshold), VERDICTS[-1][1])


def verdict_range(interval: tuple[float, float]) -> tuple[Verdict, Verdict]:
    """The lowest and the highest class that the scores of an interval have."""
    lower, upper = interval
    return verdict_of(lower), verdict_of(upper)
