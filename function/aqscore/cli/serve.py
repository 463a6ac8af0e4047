"""``aqscore serve``: the page and the HTTPS API on this machine."""

import argparse
import errno
import importlib
import socket
import sys
import threading
import webbrowser

from aqscore.audio.worker_pool import hide_secrets
from aqscore.cli.messages import print_error
from aqscore.config import ScorerConfig
from aqscore.errors import SetupError

EXAMPLES = """\
examples:
  aqscore serve --open                the page in your browser
  aqscore serve --port 9000           on another port; 0 takes any that is free
  aqscore serve --host 0.0.0.0        for other machines, without authentication
"""
LOG_LEVELS = ("critical", "error", "warning", "info", "debug")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of ``aqscore serve``."""
    parser.set_defaults(run=run)
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
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
    if not text.isdecimal() or int(text) >= 1 << 16:
        raise argparse.ArgumentTypeError(f"{text} is no port, expected 0 to 65535")
    return int(text)


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
        listener = listen(options.host, options.port)
    except SetupError as error:
        print_error(error)
        return 2
    hide_secrets()
    with listener:
        url = address_of(listener)
        print(f"aqscore listens on {url} (Ctrl-C ends it)", file=sys.stderr, flush=True)
        if options.open:  # the socket listens already: the browser waits for the server
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        server = uvicorn.Server(uvicorn.Config(app, log_level=options.log_level))
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:  # uvicorn raises it again after it has shut down
            return 0
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises SetupError, which says what to do, where that is impossible."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise _listen_error(host, port, error) from None


def _listen_error(host: str, port: int, error: OSError) -> SetupError:
    if error.errno == errno.EADDRINUSE:
        with socket.create_server(("", 0)) as free:
            other = free.getsockname()[1]
        return SetupError(
            f"Port {port} of {host} is in use, perhaps by another aqscore serve.",
            advice=f"End that program, or take another port: aqscore serve --port {other}",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return SetupError(
            f"Port {port} of {host} may not be used by this account.",
            advice="Take a port from 1024 on: aqscore serve --port 8000",
        )
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return SetupError(
            f"{host} is no address of this machine.",
            advice="Leave --host out for this machine only, or give 0.0.0.0 for all its addresses.",
        )
    return SetupError(f"{host}, port {port}, can't be listened on ({error}).")


def address_of(listener: socket.socket) -> str:
    """The URL of the page that a socket serves."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}/"
