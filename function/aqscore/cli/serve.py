"""``aqscore serve``: the page and the HTTPS API on this machine."""

import argparse
import importlib
import socket
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
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="another name of this server, such as that of a proxy before it; may be repeated. Requests that "
        "name any other host are rejected, IP addresses excepted",
    )
    parser.add_argument(
        "--log-level", choices=LOG_LEVELS, default="info", help="of the server (default: %(default)s)"
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 1 << 16:
        raise argparse.ArgumentTypeError(f"{port} is no port, expected 0 to 65535")
    return port


def _host_names(options: argparse.Namespace) -> set[str]:
    """The names by which browsers may call this server."""
    machine = socket.gethostname()
    return {"localhost", options.host, machine, f"{machine}.local", *options.allow_host}


def run(options: argparse.Namespace) -> int:
    """Serves until it is interrupted. Returns 2 when it can't start."""
    try:
        import uvicorn

        from aqscore.http.app import create_app

        importlib.import_module("fastapi_offline")  # its files are served
    except ImportError as error:
        print(f"{error.name} is not installed. Run: pip install 'aqscore[serve]'", file=sys.stderr)
        return 2
    try:
        app = create_app(ScorerConfig.from_env(), host_names=_host_names(options))
    except SetupError as error:
        print(f"{error.message} {error.advice}", file=sys.stderr)
        return 2
    uvicorn.run(app, host=options.host, port=options.port, log_level=options.log_level)
    return 0
