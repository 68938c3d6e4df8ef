"""Draw masks and score maps over images, and sheets of pictures side by side."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

INK, PAPER = (40, 40, 40), 255
_GAP = 6
_FONT = cv2.FONT_HERSHEY_SIMPLEX, 0.5


def overlay_mask(image: np.ndarray, mask: np.ndarray, palette: Sequence, opacity=0.5) -> np.ndarray:
    """Tint and outline each class of a label map; ignored pixels become grey.

    With opacity 0 only the outlines are drawn.

    Args:
        image: uint8 [H, W, 3] RGB.
        mask: uint8 [H, W], 0 background, 255 ignored.
        palette: RGB of each value of the mask.
    """
    colours = np.full((256, 3), 128, np.uint8)
    colours[: len(palette)] = palette
    tinted = (image * (1 - opacity) + colours[mask] * opacity).astype(np.uint8)
    out = np.where((mask > 0)[..., None], tinted, image)
    for value in np.unique(mask[mask > 0]):
        outlines, _ = cv2.findContours(
            (mask == value).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(out, outlines, -1, colours[value].tolist(), 1)
    return out


def overlay_scores(image: np.ndarray, scores: np.ndarray, opacity: float = 0.6) -> np.ndarray:
    """Lay a heat map [H, W] in [0, 1] over the image, blue to red."""
    heat = cv2.applyColorMap((scores * 255).astype(np.uint8), cv2.COLORMAP_TURBO)[..., ::-1]
    return (image * (1 - opacity) + heat * opacity).astype(np.uint8)


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str] = (),
    width: int = 192,
    legend: Mapping[str, Sequence[int]] | None = None,
) -> np.ndarray:
    """Lay out pictures in a grid, one example a row, the titles above the columns.

    Args:
        rows: uint8 [H, W, 3] RGB pictures; within a row all of one size.
        width: of each picture in the sheet; the height follows.
        legend: RGB of each class by its name, for a line below.
    """
    lines = [_title_line(titles, width)] if titles else []
    for row in rows:
        height = round(width * row[0].shape[0] / row[0].shape[1])
        shrinking = row[0].shape[1] > width
        how = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
        lines.append(_join([cv2.resize(p, (width, height), interpolation=how) for p in row]))
    if legend:
        lines.append(_legend_line(legend, lines[0].shape[1]))
    return np.vstack(
        [np.pad(line, ((0, _GAP), (0, 0), (0, 0)), constant_values=PAPER) for line in lines]
    )


def framed(
    image: np.ndarray, mask: np.ndarray | None, palette: Sequence, caption: str, side: int = 192
) -> np.ndarray:
    """Return a square with a picture of any size, its mask outlined, and a line about it."""
    scale = side / max(image.shape[:2])
    size = [max(1, round(length * scale)) for length in image.shape[1::-1]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = cv2.resize(image, size, interpolation=how)
    if mask is not None:
        mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
        image = overlay_mask(image, mask, palette, opacity=0)
    left, top = ((side - length) // 2 for length in size)
    paper = np.full((side, side, 3), PAPER, np.uint8)
    paper[top : top + size[1], left : left + size[0]] = image
    return np.vstack([_title(caption, side), paper])


def _title_line(titles: Sequence[str], width: int) -> np.ndarray:
    return _join([_title(title, width) for title in titles])


def _legend_line(colours: Mapping[str, Sequence[int]], width: int) -> np.ndarray:
    """Return as many names as there is room for, each behind its colour."""
    line, left = np.full((28, width, 3), PAPER, np.uint8), 4
    for name, colour in colours.items():
        line[9:21, left : left + 12] = colour
        cv2.putText(line, name, (left + 17, 19), *_FONT, INK, 1, cv2.LINE_AA)
        (text, _), _ = cv2.getTextSize(name, *_FONT, 1)
        left += 17 + text + 14
    return line


def _title(text: str, width: int) -> np.ndarray:
    box = np.full((28, width, 3), PAPER, np.uint8)
    cv2.putText(box, text, (4, 19), *_FONT, INK, 1, cv2.LINE_AA)
    return box


def _join(pictures: Sequence[np.ndarray]) -> np.ndarray:
    side = ((0, 0), (_GAP, 0), (0, 0))
    padded = [np.pad(picture, side, constant_values=PAPER) for picture in pictures]
    return np.pad(np.hstack(padded), ((0, 0), (0, _GAP), (0, 0)), constant_values=PAPER)
