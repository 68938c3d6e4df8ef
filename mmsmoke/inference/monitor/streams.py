"""Read pictures that arrive by themselves: network streams, and standard input."""

import re
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import BinaryIO

import cv2
import numpy as np

from .sources import Frame, Say

ADDRESS = re.compile(r'([A-Za-z][A-Za-z0-9+.-]*)://')
SCHEMES = ('rtsp', 'rtsps', 'rtmp', 'http', 'https')
TIMEOUT = 10_000
"""Milliseconds that OpenCV waits for a stream to open, and for a frame."""
BROKEN = 25
"""Frames that may fail one after the other before a stream is opened anew."""
JPEG, PNG = b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n'
MOST = 1 << 26
"""Bytes that a picture on standard input may have."""
_BEGIN = re.compile(re.escape(JPEG) + b'|' + re.escape(PNG))
_MARKER = re.compile(b'\xff[^\x00\xff\xd0-\xd7]', re.DOTALL)


class StreamSource:
    """Take the newest picture of a stream, again and again; open it anew where it ends.

    A thread reads, so that no old pictures pile up. The time of a picture is that of its arrival.

    Args:
        once: end with the stream, instead of opening it anew.
        seconds: between two pictures that are taken.
        waits: shortest and longest pause in seconds before it is opened anew.
    """

    ends_events = True

    def __init__(
        self,
        camera: str,
        address: str,
        say: Say,
        once: bool = False,
        seconds: float = 1.0,
        waits: tuple[float, float] = (1.0, 60.0),
    ):
        self.camera, self.address, self.say = camera, address, say
        self.once, self.seconds, self.waits = once, seconds, waits
        self.shown = without_secrets(address)
        self.newest, self.position = deque(maxlen=1), None
        self.stopped, self.done = Event(), Event()
        self.thread = Thread(target=self._read, daemon=True)
        self.thread.start()

    @property
    def ended(self) -> bool:
        return self.done.is_set() and not self.newest

    def poll(self) -> Frame | None:
        try:
            return self.newest.popleft()
        except IndexError:
            return None

    def close(self) -> None:
        self.stopped.set()

    def _read(self) -> None:
        wait, most = self.waits
        while not self.stopped.is_set():
            taken = self._read_until_it_ends()
            if self.once or self.stopped.is_set():
                break
            wait = self.waits[0] if taken else wait
            self.stopped.wait(wait)
            wait = min(2 * wait, most)
        self.done.set()

    def _read_until_it_ends(self) -> int:
        """Return how many pictures could be taken."""
        kinds = cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC
        timeouts = [value for kind in kinds for value in (kind, TIMEOUT)]
        taken, broken, due = 0, 0, 0.0
        capture = None
        try:
            capture = cv2.VideoCapture(self.address, cv2.CAP_FFMPEG, timeouts)
            if not capture.isOpened():
                self.say(f'{self.camera}: {self.shown} cannot be opened')
                return 0
            while not self.stopped.is_set() and capture.grab():
                now = time.time()
                if now < due:
                    continue
                readable, picture = capture.retrieve()
                if not readable or picture is None:
                    broken += 1
                    if broken >= BROKEN:
                        break
                    continue
                due, broken, taken = now + self.seconds, 0, taken + 1
                self.newest.append(Frame(self.camera, now, picture))
        except cv2.error as error:
            self.say(f'{self.camera}: {self.shown}: {error.err or error}')
        finally:
            if capture is not None:
                capture.release()
        if not self.stopped.is_set():
            what = 'gives broken frames' if broken >= BROKEN else 'has ended'
            self.say(f'{self.camera}: {self.shown} {what}, after {taken} pictures')
        return taken


def without_secrets(address: str) -> str:
    """Return an address without the user, the password and the query, which may hold one, too."""
    return re.sub('//.*@', '//', address).partition('?')[0]


class PipeSource:
    """Take JPEG and PNG files that follow each other on standard input, as ffmpeg writes them.

    The time of a picture is that of its arrival.

    Args:
        file: instead of standard input.
    """

    ends_events = True

    def __init__(self, camera: str, say: Say, file: BinaryIO | None = None):
        self.camera, self.say, self.position = camera, say, None
        self.file = sys.stdin.buffer if file is None else file
        self.queue, self.done = Queue(maxsize=4), Event()
        Thread(target=self._read, daemon=True).start()

    @property
    def ended(self) -> bool:
        return self.done.is_set() and self.queue.empty()

    def poll(self) -> Frame | None:
        try:
            return self.queue.get_nowait()
        except Empty:
            return None

    def close(self) -> None:
        pass

    def _read(self) -> None:
        try:
            for data in split_pictures(self.file):
                picture = None
                with suppress(cv2.error):  # more pixels than OpenCV takes
                    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
                if picture is None:
                    self.say(f'{self.camera}: a picture on standard input cannot be read')
                else:
                    self.queue.put(Frame(self.camera, time.time(), picture))
        finally:
            self.done.set()


def split_pictures(file: BinaryIO) -> Iterator[bytes]:
    """Yield the JPEG and PNG files of a stream; what is between them is passed over."""
    data = bytearray()
    while True:
        found = _BEGIN.search(data)
        del data[: found.start() if found else max(0, len(data) - len(PNG) + 1)]
        end = _end_of(data) if found else None
        if end == -1 or (end is None and len(data) > MOST):
            del data[:2]  # no picture begins here
        elif end is not None:
            yield bytes(data[:end])
            del data[:end]
        elif block := file.read1(1 << 16):
            data += block
        elif found:
            del data[:2]  # its end will not come
        else:
            return


def _end_of(data: bytearray) -> int | None:
    """Return where the picture ends with which data begin; -1 if it is none, None if not here."""
    return _end_of_png(data) if data.startswith(PNG) else _end_of_jpeg(data)


def _end_of_png(data: bytearray) -> int | None:
    place = len(PNG)
    while place + 12 <= len(data):
        kind = data[place + 4 : place + 8]
        place += 12 + int.from_bytes(data[place : place + 4], 'big')
        if not kind.isalpha():
            return -1
        if kind == b'IEND':
            return place if place <= len(data) else None
    return None


def _end_of_jpeg(data: bytearray) -> int | None:
    place = 2
    while place + 4 <= len(data) or data[place : place + 2] == b'\xff\xd9':
        kind = data[place + 1]
        if data[place] != 0xFF or kind == 0xD8:  # nothing, or the next picture after a lost end
            return -1
        if kind == 0xD9:
            return place + 2
        if kind == 0xFF:  # padding
            place += 1
            continue
        if kind not in (0x01, *range(0xD0, 0xD8)):
            place += int.from_bytes(data[place + 2 : place + 4], 'big')
        place += 2
        if kind == 0xDA:  # compressed pixels, until the next marker
            found = _MARKER.search(data, place)
            if found is None:
                return None
            place = found.start()
    return None
