"""Take pictures out of a video, into a folder in the standard layout."""

from pathlib import Path

from mmsmoke.datasets.pictures import save_image
from mmsmoke.inference.frames import Video
from mmsmoke.utils import UserError
from mmsmoke.utils.progress import progress

PER_SECOND = 1.0


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
    for item in progress(video.frames(), video.total or None, path.name, unit='frame'):
        target = folder / 'images' / f'{path.stem}_{item.frame:06d}.jpg'
        if not target.exists():
            save_image(target, item.source[..., ::-1])
    return folder


def _is_ours(folder: Path) -> bool:
    return (folder / 'images').is_dir() or not any(folder.iterdir())
