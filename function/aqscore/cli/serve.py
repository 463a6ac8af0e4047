"""``aqscore serve``: the page and the HTTPS API on this machine."""

import argparse
import sys

from aqscore.config import ScorerConfig
from aqscore.errors import SetupError

LOG_LEVELS = ("critical", "error", "warning", "info", "debug")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of ``aqscore serve``."""
    parser.set_defaults(run=run)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--log-level", choices=LOG_LEVELS, default="info", help="of the server (default: %(default)s)"
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 1 << 16:
        raise argparse.ArgumentTypeError(f"{port} is no port, expected 0 to 65535")
    return port


def run(options: argparse.Namespace) -> int:
    """Serves until it is interrupted. Returns 2 when it can't start."""
    try:
        import uvicorn

        from aqscore.http.app import create_app
    except ImportError as error:
        print(f"{error.name} is not installed. Run: pip install 'aqscore[serve]'", file=sys.stderr)
        return 2
    try:
        app = create_app(ScorerConfig.from_env())
    except SetupError as error:
        print(f"{error.message} {error.advice}", file=sys.stderr)
        return 2
    uvicorn.run(app, host=options.host, port=options.port, log_level=options.log_level)
    return 0
