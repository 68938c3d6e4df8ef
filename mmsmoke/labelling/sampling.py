"""Take pictures out of a video, into a folder in the standard layout."""

from pathlib import Path

from mmsmoke.datasets.pictures import save_image
from mmsmoke.inference.frames import Video
from mmsmoke.utils import UserError, read_json, sha256_of_file, write_json
from mmsmoke.utils.progress import progress

PER_SECOND = 1.0
VIDEOS = 'videos.json'
"""Says of which videos a folder has frames."""


def sample_video(
    path: str | Path,
    folder: str | Path | None = None,
    every: int | None = None,
    fps: float | None = None,
) -> Path:
    """Write every N-th frame as ``images/NAME_FRAME.jpg``; return the folder.

    Frames that are there already stay as they are, so that labels keep their pictures.

    Args:
        folder: by default one beside the video, called like it without its ending.
        every: take every N-th frame.
        fps: take so many a second, as nearly as whole frames can; by default one.
    """
    path = Path(path)
    folder = path.with_suffix('') if folder is None else Path(folder)
    if every is not None and fps is not None:
        raise UserError('say either --every or --fps')
    if fps is not None and not fps > 0:
        raise UserError(f'fps must be above 0, not {fps}')
    if folder.exists() and not (folder.is_dir() and _is_ours(folder)):
        raise UserError(f'{folder} holds something else; name another folder with --out')
    video = Video(path, 1 if every is None else every)
    if every is None:  # how many that is, the video says
        video = Video(path, max(1, round(video.fps / (fps or PER_SECOND))))
    _remember(path, folder)
    for item in progress(video.frames(), video.total or None, path.name, unit='frame'):
        target = folder / 'images' / f'{path.stem}_{item.frame:06d}.jpg'
        if not target.exists():
            save_image(target, item.source[..., ::-1])
    return folder


def _is_ours(folder: Path) -> bool:
    return (folder / 'images').is_dir() or not any(folder.iterdir())


def _remember(video: Path, folder: Path) -> None:
    """Note whose frames are called like this video; raise if they are those of another one."""
    file, content = folder / VIDEOS, sha256_of_file(video)
    known = read_json(file) if file.is_file() else {}
    if known.setdefault(video.stem, content) != content:
        raise UserError(
            f'{folder} has frames of another video called {video.stem}; rename one of them, or '
            'name another folder with --out'
        )
    write_json(file, known)
