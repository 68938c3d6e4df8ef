"""Cameras that a test can draw: grey noise, and as much white in it as there is smoke."""

import csv
import os
import signal
import sys
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

SIZE = (40, 25)
BEGIN = datetime(2026, 3, 1, 9, tzinfo=timezone.utc).timestamp()


SETTINGS = dict(high=3, low=1.5, merge_seconds=120, utc=True, clip_frames=0)


def run(cameras, out, once=True, looks=None, **settings):
    """Watch, and return what was said."""
    from mmsmoke.inference import CameraMonitor

    said = []
    CameraMonitor(looks or predict, cameras, out, said.append, **SETTINGS | settings).run(once)
    return said


def table(path):
    with open(path, newline='') as file:
        return list(csv.DictReader(file))


def seconds(text):
    """Seconds from the first picture on."""
    return datetime.fromisoformat(text).timestamp() - BEGIN


def picture(share, seed=0, size=SIZE):
    """RGB with about so many percent of white."""
    width, height = size
    pixels = np.random.default_rng(seed).integers(0, 120, (height, width, 3)).astype(np.uint8)
    count = round(width * height * share / 100)
    pixels.reshape(-1, 3)[:count] = 255
    return pixels


def name_of(seconds):
    return f'cam_{datetime.fromtimestamp(BEGIN + seconds, timezone.utc):%Y-%m-%d_%H-%M-%S}.png'


def draw_folder(folder, shares, seconds=60.0, first=0):
    """Pictures of these shares, so many seconds apart, named by their times."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, share in enumerate(shares, first):
        Image.fromarray(picture(share, k)).save(folder / name_of(k * seconds))
    return folder


def predict(pictures):
    masks = [(one.min(-1) == 255).astype(np.uint8) for one in pictures]
    return [SimpleNamespace(mask=mask, scores=0.5 + mask[None] / 4) for mask in masks]


def random_shares(count, seed):
    rng = np.random.default_rng(seed)
    return np.round(np.abs(np.cumsum(rng.normal(0, 1.5, count))) % 6, 1).tolist()


def watch(cameras, out, settings, kill_at=None):
    """Watch in a fork; kill it with SIGKILL at the n-th line of ours. Return how many lines ran."""
    from mmsmoke.inference import CameraMonitor

    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        with os.fdopen(reader) as file:
            said = file.read()
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return None
        assert os.WEXITSTATUS(status) == 0
        return int(said)
    lines, ours = 0, os.sep + os.path.join('mmsmoke', '')

    def trace(frame, event, _):
        nonlocal lines
        if ours not in frame.f_code.co_filename:
            return None
        lines += event == 'line'
        if lines == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    try:
        sys.settrace(trace)
        CameraMonitor(predict, cameras, out, **settings).run(once=True)
        sys.settrace(None)
        os.write(writer, str(lines).encode())
        os._exit(0)
    except BaseException as error:
        sys.settrace(None)
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)


def kill_and_go_on(root, kills, seed, settings):
    """Watch once undisturbed and once killed so many times; print how many kills hit."""
    rng = np.random.default_rng(seed)
    cameras = {name: str(root / name) for name in ('north', 'south')}
    total = watch(cameras, root / 'calm', settings)
    hits = 0
    while hits < kills:
        done = watch(cameras, root / 'killed', settings, int(rng.integers(1, total // 4)))
        hits += done is None
        if done is not None:
            break
    watch(cameras, root / 'killed', settings)
    print(hits)


if __name__ == '__main__':
    import json

    where, how_often, number, given = sys.argv[1:]
    kill_and_go_on(Path(where), int(how_often), int(number), json.loads(given))
