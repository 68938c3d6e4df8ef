"""Watch cameras for as long as they run, and write down events of smoke."""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np

from mmsmoke.datasets.zones import ViewPolygons
from mmsmoke.functional.events import Event
from mmsmoke.reports.timeline import PAGE, Timeline
from mmsmoke.utils import DataError, UserError
from mmsmoke.utils.locks import exclusive

from .media import EventMedia
from .notify import Notifier, check_webhook, split_command
from .records import Records, event_row, keep_within
from .settings import MonitorSettings, check_names
from .sources import Frame, Say, open_source
from .watch import Watch

Predict = Callable[[list[np.ndarray]], Sequence]
REST = 0.05
"""Seconds between two looks for pictures where there are none."""


class CameraMonitor:
    """Find smoke in what cameras see, and make events of it that last, merge and end.

    Args:
        predict: checkpoint, SmokeInferencer, or any function that takes pictures (uint8 [H, W, 3]
            BGR) and returns for each something with a ``mask``, uint8 [H, W], and, if there are
            any, ``scores`` [K, H, W] or ``probabilities`` by class.
        cameras: sources by name: folders that grow, videos, addresses of streams, or ``-`` for
            standard input.
        out_dir: a new folder, or that of an earlier run, which is gone on with.
        say: takes lines about what goes wrong; they go to standard error by default.
        settings: of :class:`~mmsmoke.inference.monitor.settings.MonitorSettings`.

    Example:
        >>> monitor = CameraMonitor('best.pth', {'north': 'photos/'}, 'out')  # doctest: +SKIP
        >>> monitor.run(once=True)  # doctest: +SKIP
    """

    def __init__(
        self,
        predict: Predict | str | os.PathLike,
        cameras: Mapping[str, str | os.PathLike],
        out_dir: str | os.PathLike,
        say: Say | None = None,
        **settings,
    ):
        self.settings = MonitorSettings(**settings)
        check_names(cameras)
        check_webhook(self.settings.webhook), split_command(self.settings.command)
        self.cameras, self.out = dict(cameras), Path(out_dir)
        _require_outside(self.out, self.cameras)
        self.said: dict[str, float] = {}
        self.stopped = threading.Event()
        self.tell = say or _to_standard_error
        zones = ViewPolygons.read(self.settings.zones) if self.settings.zones else None
        for name in self.cameras:  # what is wrong with zones is said first
            Watch(name, self.settings, self.say, zones)
        self.zones = zones
        if isinstance(predict, str | os.PathLike):
            from ..inferencer import SmokeInferencer

            predict = SmokeInferencer(predict)
        self.predict = _predictor(predict, self.settings.batch_size)
        classes = tuple(getattr(predict, 'classes', None) or ('smoke',))
        wanted = self.settings.smoke or classes[0]
        if wanted not in classes:
            raise UserError(f'the model knows no {wanted!r}, but {", ".join(classes)}')
        self.number = classes.index(wanted) + 1

    def say(self, text: str) -> None:
        """Say something, but the same only once a minute."""
        now = time.monotonic()
        if now - self.said.get(text, -60.0) >= 60:
            self.said = {one: at for one, at in self.said.items() if now - at < 60} | {text: now}
            self.tell(text)

    def stop(self) -> None:
        """Let :meth:`run` return as soon as what it is at is written down; for signals."""
        self.stopped.set()

    def run(self, once: bool = False) -> int:
        """Watch until all sources have ended, for ever if one does not; return how many events.

        Args:
            once: end with the last picture that is there now, and end all events with it.
        """
        settings = self.settings
        with ExitStack() as stack:
            stack.enter_context(exclusive(self.out))
            self.records = Records(self.out, self.say)
            self.media = EventMedia(
                self.out, self.say, settings.clip_frames, settings.before_frames
            )
            self.timeline, self.drawn = Timeline(self.out, settings.high), time.monotonic()
            known = self.records.cameras
            self.watches = {
                name: Watch(name, settings, self.say, self.zones, self.number, known.get(name))
                for name in self.cameras
            }
            self.gone = {name: one for name, one in known.items() if name not in self.cameras}
            self.count, self.unwritten, self.untold = 0, [], []
            sources = []
            for name in self.cameras:
                sources.append(self._open(name, once))
                stack.callback(sources[-1].close)
            self.notifier = Notifier(settings.webhook, settings.command, self.say)
            stack.callback(self.notifier.close, 0)
            self.notifier.offer(self.records.unsent)
            self._commit([])
            self._watch(sources, once)
            self.notifier.close()
            self._commit([])
            self._draw()
        return self.count

    def _open(self, name: str, once: bool):
        settings = self.settings
        return open_source(
            name, self.cameras[name], self.say, self.watches[name].position, once, settings.utc,
            settings.seconds, settings.patience,
        )  # fmt: skip

    def _watch(self, sources: list, once: bool) -> None:
        while sources and not self.stopped.is_set():
            frames = self._collect(sources)
            self._take(frames)
            ended = [source for source in sources if source.ended]
            sources = [source for source in sources if source not in ended]
            for source in ended:
                if once or source.ends_events:
                    name = source.camera
                    self._commit([(name, one) for one in self.watches[name].finish()])
            if time.monotonic() - self.drawn >= self.settings.page_seconds:
                self._draw()
            if not frames and sources:
                self.stopped.wait(REST)

    def _collect(self, sources: list) -> list[Frame]:
        """Return up to a batch of pictures, of all cameras in turns."""
        frames = []
        while len(frames) < self.settings.batch_size:
            found = [frame for source in sources if (frame := source.poll())]
            if not found:
                break
            frames += found
        return frames

    def _take(self, frames: list[Frame]) -> None:
        if not frames:
            return
        frames = [frame for frame in frames if self.watches[frame.camera].takes(frame)]
        final = []
        for frame, prediction in zip(frames, self._predicted(frames), strict=True):
            if prediction is None:
                continue
            watch = self.watches[frame.camera]
            try:
                share, mask, events = watch.measure(frame, prediction)
            except UserError as error:  # zones that a stream of another size does not reach
                if watch.size is None:
                    raise
                self.say(str(error))
                continue
            self.records.add_frame(frame.camera, frame.time, share)
            self.media.see(
                frame.camera, frame.time, frame.picture, mask, watch.open(), watch.inside
            )
            final += [(frame.camera, event) for event in events]
        self._commit(final)

    def _predicted(self, frames: list[Frame]) -> list:
        """Return what is found in each picture; None where one cannot be looked at."""
        if not frames:
            return []
        try:
            return list(self.predict([frame.picture for frame in frames]))
        except DataError as error:
            if len(frames) == 1:
                self.say(f'{frames[0].camera}: {error}')
                return [None]
        return [found for frame in frames for found in self._predicted([frame])]

    def _commit(self, final: list[tuple[str, Event]]) -> None:
        """Write down what is known now, and which events are final."""
        for camera, event in final:
            row = event_row(camera, event)
            row |= self.media.draw(camera, row['id'], event)
            self.records.add_event(row)
            self.unwritten.append((camera, event))
            self.untold.append(row | dict(state='ended'))
        opened = []
        for camera, watch in self.watches.items():
            if event := watch.open():
                row = event_row(camera, event)
                opened.append(row)
                lasts = event.end - event.start >= self.settings.min_seconds
                if lasts and row['id'] != watch.announced:
                    watch.announced = row['id']
                    self.untold.append(row | dict(state='begun'))
        plain = self.gone | {name: watch.plain() for name, watch in self.watches.items()}
        if not self.records.commit(plain, self.notifier.waiting() + self.untold, opened):
            return
        self.notifier.offer(self.untold)
        self.untold = []
        self.count += len(self.unwritten)
        for camera, event in self.unwritten:
            self.media.forget(camera, event.end)
        self.unwritten.clear()
        for camera, watch in self.watches.items():
            if watch.open() is None:
                self.media.forget(camera)

    def _draw(self) -> None:
        """Draw the page, and make room."""
        try:
            self.timeline.write()
            keep_within(self.out, self.settings.max_gb * 1e9, self.say)
        except (OSError, UserError) as error:
            self.say(f'{self.out / PAGE} cannot be written: {error}')
        self.drawn = time.monotonic()


def _require_outside(out: Path, cameras: Mapping[str, str | os.PathLike]) -> None:
    """Raise if what is written would be taken for pictures of a camera."""
    for name, source in cameras.items():
        if os.path.isdir(source) and out.resolve().is_relative_to(Path(source).resolve()):
            raise UserError(
                f'{out} lies in the folder of camera {name}, so its strips would be taken for '
                'pictures of that camera; name a folder elsewhere'
            )


def _predictor(predict: Predict, batch_size: int) -> Predict:
    known = sys.modules.get('mmsmoke.inference.inferencer')  # a monitor does without torch, too
    if known and isinstance(predict, known.SmokeInferencer):
        return partial(predict, batch_size=batch_size, return_scores=True, show_progress=False)
    return predict


def _to_standard_error(text: str) -> None:
    print(f'{datetime.now():%Y-%m-%d %H:%M:%S} {text}', file=sys.stderr, flush=True)
