"""The emulator's HTTP server, on 127.0.0.1, with a thread per connection and connections that stay open.

werkzeug's development server closes the connection after every answer; a client then spends more time connecting than
asking, and a test of a thousand requests waits for a thousand handshakes.
"""

from __future__ import annotations

import io
import logging
import socket
import threading
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from emulator import services  # noqa: F401 - declares patches of moto
from emulator.patching import apply_patches
from emulator.serving.gateway import Gateway, UnansweredError
from emulator.state import Emulator, activate

_log = logging.getLogger(__name__)


class Handler(MotoRequestHandler):
    """One connection: requests are read whole before they are answered, so that the next one can follow."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together

    def run_wsgi(self) -> None:
        """Answer one request and keep the connection, unless the answer is that there is none."""
        environ = self.environ = self.make_environ()
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
        self.send_response(int(code), phrase)
        for name, value in started[1]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        """Ask for the body at once, past the buffer."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def _whole_body(self, environ: dict[str, Any]) -> bytes | None:
        """Return the body, None when its sender died on the way: half a request must have no effect."""
        if environ.get("wsgi.input_terminated"):
            try:
                chunks: bytes = environ["wsgi.input"].read()
            except OSError:
                return None
            return chunks
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        return body if len(body) == length else None

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the request log is asked for, not printed."""


class Server:
    """A running server. The constructor binds, so `emulator.endpoint` is its URL; `start()` serves from a thread."""

    def __init__(self, emulator: Emulator | None = None, port: int = 0) -> None:
        """Bind to the port, 0 being any free one. Raises OSError when it is taken."""
        apply_patches()
        self.emulator = activate(emulator or Emulator())
        # Bound here, as werkzeug ends the process when a port is taken.
        with socket.create_server(("127.0.0.1", port)) as bound:
            app, descriptor = Gateway(self.emulator), bound.fileno()
            self._server: BaseWSGIServer = make_server(
                "127.0.0.1", port, app, threaded=True, request_handler=Handler, fd=descriptor
            )
        self.emulator.endpoint = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="emulator-server", daemon=True)

    def start(self) -> Emulator:
        """Serve from a thread of its own and return at once."""
        self._thread.start()
        return self.emulator

    def stop(self) -> None:
        """End the functions, then stop serving."""
        self.emulator.functions.stop()
        self.emulator.delivery.stop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
