"""A proxy in front of S3 that answers 503, times out, resets connections and truncates bodies."""

import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
FAULTS = ("503", "time-out", "reset", "truncated")
SLOW_DOWN = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>SlowDown</Code></Error>"
# These headers belong to one connection (RFC 9110, 7.6.1); the proxy has two.
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class FaultProxy(ThreadingHTTPServer):
    """Forwards requests to ``upstream`` (host:port). Each kind of fault happens to ``share`` of the requests.

    The same seed draws the same faults in the order in which requests arrive. Half of the requests that time
    out or are reset are forwarded to S3 nevertheless. ``counts`` has the number of requests and of each
    fault.
    """

    daemon_threads = True

    def __init__(self, upstream: str, share: float, seed: int) -> None:
        super().__init__((HOST, 0), _Exchange)
        self.upstream = upstream
        self.address = f"http://{HOST}:{self.server_port}"
        self.counts: Counter[str] = Counter()
        self._truncation_is_due = False
        self._share = share
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def draw(self) -> tuple[str | None, bool]:
        """The fault of the next request, or None, and whether a lost request is forwarded nevertheless."""
        with self._lock:
            number = int(self._random.random() / self._share) if self._share else len(FAULTS)
            is_forwarded = self._random.random() < 0.5
            self.counts["requests"] += 1
        return (FAULTS[number] if number < len(FAULTS) else None), is_forwarded

    def count(self, fault: str) -> None:
        with self._lock:
            self.counts[fault] += 1

    def is_truncated(self, fault: str | None, content: bytes) -> bool:
        """Whether to truncate this response. A fault for an empty body is kept for the next with content."""
        with self._lock:
            self._truncation_is_due |= fault == "truncated"
            if not (content and self._truncation_is_due):
                return False
            self._truncation_is_due = False
            self.counts["truncated"] += 1
            return True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores clients that are killed in the middle of a request."""


class _Exchange(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server: FaultProxy

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault, is_forwarded = self.server.draw()
        if fault == "503":
            self.server.count(fault)
            self._answer(503, [("Content-Type", "application/xml")], SLOW_DOWN)
        elif fault in ("time-out", "reset"):
            self.server.count(fault)
            if is_forwarded:
                self._forward(body)
            if fault == "time-out":
                self.rfile.read(1)  # returns when the client has given up
            else:
                # A close without lingering sends RST in place of FIN.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        else:
            answer, content = self._forward(body)
            cut = len(content) // 2 if self.server.is_truncated(fault, content) else None
            self._answer(answer.status, answer.getheaders(), content, cut)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815

    def _forward(self, body: bytes) -> tuple[HTTPResponse, bytes]:
        with closing(HTTPConnection(self.server.upstream, timeout=60)) as upstream:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() != "expect":
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            return answer, answer.read()

    def _answer(
        self, status: int, headers: list[tuple[str, str]], content: bytes, cut: int | None = None
    ) -> None:
        """Sends the response; with ``cut``, only the first ``cut`` bytes of the content."""
        length = str(len(content))
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
            elif name.lower() == "content-length" and self.command == "HEAD":
                length = value
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[:cut])
        self.close_connection = self.close_connection or cut is not None

    def log_message(self, *_: object) -> None:
        """Writes no log: the counts are enough."""


@contextmanager
def fault_proxy(upstream: str, share: float, seed: int) -> Iterator[FaultProxy]:
    """A running proxy for the duration of the block."""
    with FaultProxy(upstream, share, seed) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
