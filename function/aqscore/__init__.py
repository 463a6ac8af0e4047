"""aqscore: scores recordings of speech without a clean reference.

    >>> from aqscore import score
    >>> score("call.wav").score
    3.42

The names of the library are imported at their first use, so that a process that needs few of them
(a Lambda function, a decoder worker) starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aqscore.adapter import predict as predict
    from aqscore.config import ScorerConfig as ScorerConfig
    from aqscore.errors import AqscoreError as AqscoreError
    from aqscore.limits import Limits as Limits
    from aqscore.report import ErrorRecord as ErrorRecord
    from aqscore.report import Report as Report
    from aqscore.scorer import Scorer as Scorer
    from aqscore.scorer import score as score

__version__ = "0.2.0"

_MODULES = {
    "AqscoreError": "errors",
    "ErrorRecord": "report",
    "Limits": "limits",
    "Report": "report",
    "Scorer": "scorer",
    "ScorerConfig": "config",
    "predict": "adapter",
    "score": "scorer",
}

__all__ = ["__version__", *_MODULES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
