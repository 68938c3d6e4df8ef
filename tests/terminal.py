"""A terminal for tests, of which everything that was written to it can be read."""

import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from threading import Thread


class Terminal:
    """Keeps what a pseudo-terminal got: ``raw``, and the ``lines`` that stay on its screen."""

    raw = ''

    @property
    def lines(self) -> list[str]:
        text = re.sub(r'\x1b\[[0-9;]*[A-Za-z]', '', self.raw.replace('\r\n', '\n'))
        return [line.split('\r')[-1].rstrip() for line in text.split('\n')]


@contextmanager
def terminal(columns: int = 100) -> Iterator[Terminal]:
    """Makes standard output and error one terminal; ``raw`` is complete at the end."""
    shown, (reading, writing) = Terminal(), pty.openpty()
    fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack('HHHH', 40, columns, 0, 0))
    chunks = []

    def read() -> None:
        try:
            while chunk := os.read(reading, 65536):
                chunks.append(chunk)
        except OSError:  # the other end was closed
            pass

    reader = Thread(target=read, daemon=True)
    reader.start()
    try:
        with (
            open(writing, 'w', encoding='utf-8') as file,
            redirect_stdout(file),
            redirect_stderr(file),
        ):
            yield shown
    finally:
        reader.join(10)
        os.close(reading)
        shown.raw = b''.join(chunks).decode()
