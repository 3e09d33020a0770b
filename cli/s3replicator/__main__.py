"""`s3replicator` from its first line to its exit status: arguments, streams, Ctrl-C and closed pipes.

Separate from `main.py` so that everything that takes time, imports included, happens where Ctrl-C is handled. Exit
statuses: 0 fine, 1 found something, 2 wrong usage, 130 interrupted.
"""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def main() -> NoReturn:
    """Run the command, and end the process."""
    signal.signal(signal.SIGINT, _interrupt)
    try:
        _prepare_streams()
        sys.argv[1:] = map(_decoded, sys.argv[1:])
        from s3replicator.main import run  # noqa: PLC0415 - see above

        status = run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except OSError as error:
        status = _cannot_write(error)
    if status == INTERRUPTED:
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(INTERRUPTED)  # while Python ends by itself, another Ctrl-C would kill it
    sys.exit(status)


def _interrupt(_: int, __: FrameType | None) -> None:
    """End the command tidily. A second Ctrl-C does not wait for requests that have no answer yet."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    raise KeyboardInterrupt


def _prepare_streams() -> None:
    """Make output possible whatever encoding the terminal has, and also where the caller closed it.

    What the encoding lacks is written as `visible` writes what does not print.
    """
    sys.stdout = _stream(sys.stdout)
    sys.stderr = _stream(sys.stderr)


def _stream(given: TextIO | None) -> TextIO:
    stream = given or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for good
    stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined] # both are io.TextIOWrapper
    return stream


def _decoded(argument: str) -> str:
    """Return an argument as text; in a locale without UTF-8, one that is UTF-8 all the same is read as such.

    Ends the process with status 2 if there are bytes that are not text: Python decodes those to lone surrogates.
    """
    try:
        argument.encode()
    except UnicodeEncodeError:
        try:
            return os.fsencode(argument).decode()
        except UnicodeDecodeError:
            sys.stderr.write(f"s3replicator: {repr(os.fsencode(argument))[1:]} is not valid UTF-8\n")
            sys.exit(USAGE)
    return argument


def _cannot_write(error: OSError) -> int:
    """Say why output cannot be written. Nobody is told who has closed the pipe, as `head` does."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what is still buffered has a place to go
    if not isinstance(error, BrokenPipeError):
        sys.stderr.write(f"s3replicator: {error.strerror or type(error).__name__}\n")
    return FAILED


if __name__ == "__main__":
    main()
