"""A relay from containers to the emulator, which listens on this machine's 127.0.0.1 only.

SAM CLI publishes a port of each container, so containers have a network of their own, `--docker-network host` or not.
The machine is reachable there as the bridge's gateway: an address that nobody outside can reach.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


def gateway() -> str:
    """Return the address of this machine on the network that containers are on.

    An engine that has just made its bridge names only the subnet; it takes the first address of it for itself.
    """
    asked = ["docker", "network", "inspect", "bridge", "--format", "{{json (index .IPAM.Config 0)}}"]
    config = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
    return str(config.get("Gateway") or ipaddress.ip_network(config["Subnet"])[1])


@contextmanager
def reachable(endpoint: str) -> Iterator[str]:
    """Pass on what comes to the gateway; yield the URL for containers. OSError if the address cannot be bound."""
    target = urlsplit(endpoint)
    server = _Relay((gateway(), 0), _Connection)
    server.target = (str(target.hostname), int(target.port or 80))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{server.server_address[0]!s}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Relay(socketserver.ThreadingTCPServer):
    daemon_threads = True
    target: tuple[str, int]


class _Connection(socketserver.BaseRequestHandler):
    server: _Relay

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as upstream:
            back = threading.Thread(target=_pass_on, args=(upstream, self.request), daemon=True)
            back.start()
            _pass_on(self.request, upstream)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Copy until the source ends, then close that direction of the target."""
    with contextlib.suppress(OSError), source.makefile("rb", buffering=0) as reader:
        writer = target.makefile("wb", buffering=0)
        shutil.copyfileobj(reader, writer, 64 * 1024)
        target.shutdown(socket.SHUT_WR)
