"""aqscore.config: one definition of a valid limit, for the library, the command and the function."""

import math
from dataclasses import fields, replace

import pytest

from aqscore.config import MAX_LIMIT, ScorerConfig
from aqscore.errors import SetupError
from aqscore.limits import Limits

NAMES = [limit.name for limit in fields(Limits)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, 10 * MAX_LIMIT, "5", None])
def test_no_scorer_has_a_limit_that_nothing_can_keep_to(name, value):
    with pytest.raises(SetupError, match=f"The limit {name} is"):
        ScorerConfig(limits=replace(Limits(), **{name: value}))


@pytest.mark.parametrize("name", NAMES)
def test_limits_of_arguments_and_environment_agree(name):
    largest = type(getattr(Limits(), name))(MAX_LIMIT)
    expected = ScorerConfig(limits=replace(Limits(), **{name: largest}))
    assert ScorerConfig.from_env({f"AQSCORE_{name.upper()}": str(largest)}) == expected


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2"])
def test_threads_are_a_whole_number(threads):
    with pytest.raises(SetupError, match="threads is"):
        ScorerConfig(threads=threads)
