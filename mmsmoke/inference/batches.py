"""Put prepared pictures together for a model."""

from collections.abc import Iterable, Iterator, Sequence

from .inputs import Cut, Prepared


def batches(prepared: Iterable[Prepared | Cut], size: int) -> Iterator[list[Prepared | Cut]]:
    """Yield pictures in their order; one that is cut into tiles is a batch of its own."""
    batch = []
    for image in prepared:
        if isinstance(image, Cut):
            if batch:
                yield batch
                batch = []
            yield [image]
            continue
        batch.append(image)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def same_sizes(batch: Sequence[Prepared | Cut]) -> list[list[int]]:
    """Return which of a batch can be stacked; padding would change what a model sees.

    Mmseg complains of images that were of several sizes before the pipeline made them one.
    """
    if isinstance(batch[0], Cut):
        return [[0]]
    places = {}
    for place, image in enumerate(batch):
        sizes = image.inputs.shape, image.sample.ori_shape
        places.setdefault(sizes, []).append(place)
    return list(places.values())
