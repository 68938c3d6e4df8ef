"""Follow one camera: what of its pictures is watched, how much of that is smoke, and when."""

import base64
import time
import zlib
from collections.abc import Sequence

import cv2
import numpy as np

from mmsmoke.datasets.zones import ViewPolygons, areas_of, zone_masks
from mmsmoke.functional.background import changed, toward_median
from mmsmoke.functional.events import Event, advance, finish, open_event
from mmsmoke.utils import UserError

from .settings import MonitorSettings
from .sources import Frame, Say

BACKGROUND_SIDE = 160
"""Pixels of the background along its longer side; it is kept in the state, so it is small."""

DAY = 86400.0


class Watch:
    """Hold what is known of a camera.

    Args:
        zones: where to look, by camera; everywhere if None.
        number: value of smoke in masks.
        state: as :meth:`plain` gave it.

    Attributes:
        announced: id of the last event whose beginning others were told of.
    """

    def __init__(
        self,
        camera: str,
        settings: MonitorSettings,
        say: Say,
        zones: ViewPolygons | None = None,
        number: int = 1,
        state: dict | None = None,
    ):
        self.camera, self.settings, self.say = camera, settings, say
        self.zones, self.number, self.rule = zones, number, settings.rule()
        state = state or {}
        self.position = state.get('position')
        self.series = state.get('series', {})
        self.shares: list[float] = state.get('shares', [])
        self.same = state.get('same')
        self.announced: str | None = state.get('announced')
        self.background = _unpacked(state.get('background'))
        self.background_time = state.get('background_time')
        self.size: tuple[int, int] | None = None
        self.watched: np.ndarray | None = None
        self.frozen = False
        if zones is not None:  # an unknown camera is named before the first picture
            areas_of(zones, camera)
            if zones.size:
                self._watched(*zones.size)

    def plain(self) -> dict:
        """Return the state as JSON."""
        return dict(
            position=self.position,
            series=self.series,
            shares=self.shares,
            same=self.same,
            announced=self.announced,
            background=_packed(self.background),
            background_time=self.background_time,
        )

    def takes(self, frame: Frame) -> bool:
        """Return whether a picture is new: neither older than the last, nor frozen for long."""
        before = self.same[2] if self.same else None
        if before is not None and frame.time < before:
            self.say(f'{self.camera}: time goes back; what is older than the last is left out')
            self.position = frame.position
            return False
        if frame.time > time.time() + DAY:
            self.say(f'{self.camera}: a picture of the future is left out: {frame.position}')
            self.position = frame.position
            return False
        mark = zlib.crc32(np.ascontiguousarray(frame.picture))
        since = self.same[1] if self.same and self.same[0] == mark else frame.time
        self.same = [mark, since, frame.time]
        self.position = frame.position
        if frame.time - since <= self.settings.frozen_seconds:
            if self.frozen:
                self.say(f'{self.camera}: the picture changes again')
            self.frozen = False
            return True
        if not self.frozen:
            seconds = self.settings.frozen_seconds
            self.say(f'{self.camera}: the picture has not changed for {seconds:g} seconds')
        self.frozen = True
        return False

    def measure(self, frame: Frame, prediction) -> tuple[float, np.ndarray, list[Event]]:
        """Return the share of smoke in percent, where it is, and the events that are final now."""
        share, found = self.look(frame, prediction)
        confidence = self._confidence(prediction, found)
        return share, found, self.follow(frame.time, share, confidence, _place(found))

    def look(self, frame: Frame, prediction) -> tuple[float, np.ndarray]:
        """Return the share of smoke in percent, and where it is."""
        mask = np.asarray(prediction.mask)
        height, width = mask.shape
        if (width, height) != self.size:
            if self.size is not None:
                self.say(f'{self.camera}: pictures are {width} x {height} now')
            self.watched, self.size = self._watched(width, height), (width, height)
        found = (mask == self.number) & self.watched
        if self.settings.change:
            found &= self._moving(frame, width, height)
        return 100 * float(found.sum()) / float(self.watched.sum()), found

    def follow(
        self,
        time: float,
        share: float,
        confidence: float | None = None,
        place: Sequence[float] | None = None,
    ) -> list[Event]:
        """Take the share of one frame more; return the events that are final now."""
        self.shares = [*self.shares, share][-self.settings.mean_frames :]
        mean = sum(self.shares) / len(self.shares)
        self.series, events = advance(self.series, self.rule, time, mean, confidence, place)
        return events

    def finish(self) -> list[Event]:
        """End what is open; nothing will follow."""
        self.series, events = finish(self.series, self.rule)
        self.shares = []
        return events

    def open(self) -> Event | None:
        return open_event(self.series)

    @property
    def inside(self) -> bool:
        """Whether the last picture belonged to an event."""
        return bool(self.series.get('inside'))

    def _watched(self, width: int, height: int) -> np.ndarray:
        if self.zones is None:
            return np.ones((height, width), bool)
        zone, out = zone_masks(self.zones, self.camera, width, height)
        watched = zone & ~out
        if not watched.any():
            raise UserError(
                f'the zones of {self.camera!r} leave nothing of pictures of {width} x {height} '
                'to watch: do they lie outside?'
            )
        return watched

    def _moving(self, frame: Frame, width: int, height: int) -> np.ndarray:
        """Return where the picture differs from the background, which then follows it."""
        scale = min(1.0, BACKGROUND_SIDE / max(frame.picture.shape[:2]))
        size = [max(1, round(length * scale)) for length in frame.picture.shape[1::-1]]
        grey = cv2.cvtColor(frame.picture, cv2.COLOR_BGR2GRAY)
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        if self.background is None or self.background.shape != grey.shape:
            self.background, self.background_time = grey, frame.time
        moving = changed(self.background, grey, self.settings.change).astype(np.uint8)
        if frame.time - self.background_time >= self.settings.background_seconds:
            self.background = toward_median(self.background, grey)
            self.background_time = frame.time
        return cv2.resize(moving, (width, height), interpolation=cv2.INTER_NEAREST) > 0

    def _confidence(self, prediction, found: np.ndarray) -> float | None:
        """Return a classifier's probability, or the mean score of what counts as smoke."""
        if probabilities := getattr(prediction, 'probabilities', None):
            return float([*probabilities.values()][self.number - 1])
        scores = getattr(prediction, 'scores', None)
        if scores is None or not found.any():
            return None
        return float(np.asarray(scores)[self.number - 1][found].mean())


def _place(found: np.ndarray) -> Sequence[float] | None:
    """Return the centroid (x, y) in pixels and in shares of the picture."""
    rows, columns = np.nonzero(found)
    if not len(rows):
        return None
    x, y = float(columns.mean()), float(rows.mean())
    height, width = found.shape
    shares = [round((x + 0.5) / width, 4), round((y + 0.5) / height, 4)]
    return [round(x, 1), round(y, 1), *shares]


def _packed(background: np.ndarray | None) -> str | None:
    if background is None:
        return None
    return base64.b64encode(cv2.imencode('.png', background)[1]).decode()


def _unpacked(text: str | None) -> np.ndarray | None:
    if text is None:
        return None
    data = np.frombuffer(base64.b64decode(text), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
