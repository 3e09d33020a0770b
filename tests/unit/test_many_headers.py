"""An answer with as many headers as S3's 2 KB of user metadata can make is read, from a real socket."""

import subprocess
import sys

import pytest

# A process of its own: whatever else the tests imported must not be what makes it work.
PROGRAM = r"""
import socket, threading, boto3
from botocore import UNSIGNED
from botocore.config import Config
from replicator.aws.clients import Clients

server = socket.create_server(("127.0.0.1", 0))

def answer():
    connection, _ = server.accept()
    connection.recv(65536)
    entries = "".join(f"x-amz-meta-{number}: v\r\n" for number in range({count}))
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{entries}\r\n".encode())

threading.Thread(target=answer, daemon=True).start()
endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
session = boto3.Session("AKIA", "secret", region_name="us-east-1")
make = session.client
session.client = lambda *args, **kwargs: make(*args, **kwargs, endpoint_url=endpoint)
head = Clients(session).reader("us-east-1").head_object(Bucket="bucket", Key="key")
print(len(head["Metadata"]))
"""


@pytest.mark.parametrize("count", [98, 250, 1000])
def test_an_answer_with_many_headers_is_read(count: int) -> None:
    program = PROGRAM.replace("{count}", str(count))
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str(count), done.stderr
