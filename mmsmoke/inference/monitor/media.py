"""Draw what an event looked like: a strip of pictures and a short clip.

Pictures of an event that is not final yet lie small in ``open/CAMERA/``, named by their times, so
that memory is bounded and a process that starts anew finds them.
"""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from mmsmoke.datasets.pictures import save_image
from mmsmoke.datasets.table import spread
from mmsmoke.functional.events import Event
from mmsmoke.utils import UserError, atomic_path
from mmsmoke.visualization import contact_sheet, framed, overlay_mask

from ..frames import video_file
from .records import MEDIA
from .sources import Say

SPOOL = 'open'
THUMBNAILS, SIDE = 6, 480
RATE = 5.0
"""Pictures a second in a clip."""
OUTLINES = ((0, 0, 0), (0, 128, 255))


class EventMedia:
    """Keep small pictures of the events of all cameras, and draw strips and clips of them.

    Args:
        most: pictures in a clip, about; of a longer event they are further apart.
        before: how many of them show what was before.
    """

    def __init__(self, out: Path, say: Say, most: int = 60, before: int = 3):
        self.out, self.say, self.most, self.before = out, say, most, before
        self.kept: dict[str, list[int]] = {}
        for folder in (out / SPOOL).glob('*/'):
            self.kept[folder.name] = sorted(int(path.stem) for path in folder.glob('[0-9]*.jpg'))
        self.ring: dict[str, deque] = {}

    def see(
        self, camera: str, time: float, picture: np.ndarray, mask: np.ndarray, event: Event | None,
        inside: bool,
    ) -> None:  # fmt: skip
        """Take a picture, BGR, its mask and the event that is open after it."""
        if self.most < 1:
            return
        ring = self.ring.setdefault(camera, deque(maxlen=self.before))
        stamp, kept = round(time * 1000), self.kept.setdefault(camera, [])
        peak = None if event is None else round(event.peak_time * 1000)
        wanted = inside and (
            not kept or stamp == peak or stamp - kept[-1] >= (kept[-1] - kept[0]) / self.most
        )
        if not wanted and (inside or not self.before):
            return
        data = _small(picture, mask)
        if not wanted:
            ring.append((stamp, data))
            return
        with self._saying('a picture of an event'):
            for when, what in (*ring, (stamp, data)):
                path = self._path(camera, when)
                with atomic_path(path) as temporary:
                    temporary.write_bytes(what)
                if when not in kept:
                    kept.append(when)
            ring.clear()
            kept.sort()
            if len(kept) > 2 * self.most:
                self._remove(camera, [when for when in kept[1::2] if when != peak])

    def draw(self, camera: str, name: str, event: Event) -> dict[str, str | None]:
        """Write strip and clip of an event; return their names in the folder, by kind."""
        found = dict.fromkeys(('strip', 'clip'))
        stamps = [when for when in self.kept.get(camera, ()) if when <= round(event.end * 1000)]
        pictures = {when: cv2.imread(os.fsencode(self._path(camera, when))) for when in stamps}
        pictures = {when: one for when, one in pictures.items() if one is not None}
        if not pictures:
            return found
        stamps, peak = sorted(pictures), round(event.peak_time * 1000)
        chosen = {stamps[k] for k in spread(len(stamps), THUMBNAILS)} | ({peak} & {*stamps})
        strip, clip = (f'{MEDIA}/{camera}/{name}.{kind}' for kind in ('jpg', 'mp4'))
        with self._saying('a strip'):
            line = [
                framed(pictures[when][..., ::-1], None, (), _clock(when, when == peak))
                for when in sorted(chosen)
            ]
            save_image(self.out / strip, contact_sheet([line]))
            found['strip'] = strip
        height, width = pictures[stamps[0]].shape[:2]
        with self._saying('a clip'), video_file(self.out / clip, RATE) as add:
            for when in stamps:
                frame = pictures[when]
                if frame.shape[:2] != (height, width):
                    frame = cv2.resize(frame, (width, height))
                add(_stamped(frame, _clock(when, when == peak)))
        if (self.out / clip).exists():
            found['clip'] = clip
        return found

    def forget(self, camera: str, until: float | None = None) -> None:
        """Remove the small pictures of what is over, up to a time or all."""
        kept = self.kept.get(camera, [])
        self._remove(camera, [k for k in kept if until is None or k <= round(until * 1000)])

    def _remove(self, camera: str, stamps: list[int]) -> None:
        if not stamps:
            return
        gone = {*stamps}
        self.kept[camera] = [when for when in self.kept[camera] if when not in gone]
        for when in gone:
            with suppress(OSError):
                self._path(camera, when).unlink(missing_ok=True)

    def _path(self, camera: str, stamp: int) -> Path:
        return self.out / SPOOL / camera / f'{stamp}.jpg'

    @contextmanager
    def _saying(self, what: str) -> Iterator[None]:
        """Go on without what cannot be written, and say so."""
        try:
            yield
        except (OSError, UserError) as error:
            self.say(f'{what} cannot be written: {error}')


def _small(picture: np.ndarray, mask: np.ndarray) -> bytes:
    """Return a picture with its mask outlined, as JPEG of at most :data:`SIDE` pixels."""
    scale = min(1.0, SIDE / max(picture.shape[:2]))
    size = [max(2, 2 * round(length * scale / 2)) for length in picture.shape[1::-1]]
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    drawn = overlay_mask(picture, mask, OUTLINES, opacity=0)
    return cv2.imencode('.jpg', drawn, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def _clock(stamp: int, is_peak: bool) -> str:
    return f'{datetime.fromtimestamp(stamp / 1000):%d.%m. %H:%M:%S}' + ' peak' * is_peak


def _stamped(frame: np.ndarray, text: str) -> np.ndarray:
    frame, place = frame.copy(), (6, frame.shape[0] - 8)
    for colour, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(frame, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, width, cv2.LINE_AA)
    return frame
