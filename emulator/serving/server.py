"""The emulator's HTTP server on 127.0.0.1: one thread per connection, with persistent connections.

werkzeug's development server closes the connection after every response, so that clients would spend more time on
connecting than on their requests.
"""

from __future__ import annotations

import http.client
import io
import logging
import socket
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from emulator import services  # noqa: F401 - declares patches of moto
from emulator.calls.answers import XML_TYPE, error_xml
from emulator.calls.call import NO_LENGTH
from emulator.patching import apply_patches
from emulator.serving.gateway import Gateway, UnansweredError
from emulator.state import Emulator, activate
from emulator.threads import Worker

_log = logging.getLogger(__name__)
# S3 takes as many headers as 2 KB of user metadata are; http.server answers 431 to more than 100.
http.client._MAXHEADERS = 2048  # type: ignore[attr-defined] # noqa: SLF001


class Handler(MotoRequestHandler):
    """One connection. A request is read completely before it is answered, so that the next one can follow it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body are sent together

    def run_wsgi(self) -> None:
        """Answer one request and keep the connection open, unless a fault leaves the request without a response."""
        environ = self.environ = self.make_environ()
        if not self.headers.get("Content-Length", "0").strip().isdecimal():
            self._refuse()
            return
        environ[NO_LENGTH] = "Content-Length" not in self.headers and not environ.get("wsgi.input_terminated")
        body = self._whole_body(environ)
        if body is None:
            self.close_connection = True
            return
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        started: list[Any] = []
        try:
            content = b"".join(self.server.app(environ, lambda *begin: started.extend(begin)))  # type: ignore[arg-type]
        except UnansweredError:
            self.close_connection = True
            return
        except Exception:
            _log.exception("%s %s failed", self.command, self.path)
            started, content = ["500 Internal Server Error", [("Content-Length", "0")]], b""
        code, _, phrase = started[0].partition(" ")
        self.send_response_only(int(code), phrase)  # send_response would add a Server header of its own
        self.send_header("Date", self.date_time_string())
        for name, value in started[1]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _refuse(self) -> None:
        """Refuse a request of which nobody knows where it ends: then the connection is of no use any more."""
        self.close_connection = True
        content = error_xml("BadRequest", "An error occurred when parsing the HTTP request.")
        self.send_response_only(400)
        for name, value in (XML_TYPE | {"Content-Length": str(len(content)), "Connection": "close"}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        """Send `100 Continue` at once, despite the buffer."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def _whole_body(self, environ: dict[str, Any]) -> bytes | None:
        """Return the body; None if the connection broke before its end: half a request must have no effect."""
        if environ.get("wsgi.input_terminated"):
            try:
                chunks: bytes = environ["wsgi.input"].read()
            except OSError:
                return None
            return chunks
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        return body if len(body) == length else None

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing: the request log has an endpoint of its own."""


class Server:
    """The server. The constructor binds the port and sets `emulator.endpoint`; `start()` serves from a thread."""

    def __init__(self, emulator: Emulator | None = None, port: int = 0) -> None:
        """Bind to the port; 0 means any free one. Raises OSError if it is taken."""
        apply_patches()
        self.emulator = activate(emulator or Emulator())
        # Bound here because werkzeug exits the process when a port is taken.
        with socket.create_server(("127.0.0.1", port)) as bound:
            app, descriptor = Gateway(self.emulator), bound.fileno()
            self._server: BaseWSGIServer = make_server(
                "127.0.0.1", port, app, threaded=True, request_handler=Handler, fd=descriptor
            )
        self.emulator.endpoint = f"http://127.0.0.1:{self._server.port}"
        self._worker = Worker(self._server.serve_forever, "emulator-server")

    def start(self) -> Emulator:
        """Serve from a thread of its own, and return the emulator at once."""
        self._worker.start()
        return self.emulator

    def stop(self) -> None:
        """Stop the functions, then the server."""
        self.emulator.functions.stop()
        self.emulator.jobs.stop()
        self.emulator.replication.stop()
        self.emulator.delivery.stop()
        self._worker.end(self._server.shutdown)
        self._server.server_close()
