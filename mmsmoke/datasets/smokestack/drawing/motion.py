"""Let a layout move: smoke and steam in the wind, clouds, and the hand of the camera.

Everything else stands still. Nothing here looks at how often the camera takes a picture.
"""

import math
from dataclasses import dataclass, replace

from .dice import Dice
from .elements import Bank, Layout, Plume

DAY = 86400  # seconds
STEADIEST, SHAKIEST = 0.1 / 128, 2 / 128
OUTSIDE = 1.0  # clouds leave, and come back, so far beside the picture


@dataclass(frozen=True)
class Emission:
    """Hold from when to when smoke leaves its source, in seconds."""

    begin: float = -math.inf
    end: float = math.inf


@dataclass(frozen=True)
class Motion:
    """Say how fast things move.

    Attributes:
        wind: carries smoke and steam, in turns (see `Plume`) a second.
        clouds: move so far in a second, in units of the picture's side; to the left below 0.
        fading: seconds in which smoke dissolves once no more of it follows.
        shake: how far the camera looks aside at most, in units of the picture's side.
    """

    wind: float
    clouds: float
    fading: float
    shake: float


def sample_motion(dice: Dice, layout: Layout) -> Motion:
    """Decide how a layout moves; its clouds go the way of its smoke or steam."""
    side = dice.side()
    plumes = [*layout.plumes, *layout.steam]
    return Motion(
        wind=dice.between(0.3, 0.7),
        clouds=(math.copysign(1, plumes[0].reach) if plumes else side) * dice.between(0.001, 0.006),
        fading=dice.between(4, 10),
        shake=dice.between(STEADIEST, SHAKIEST),
    )


def sample_emission(dice: Dice, seconds: float) -> Emission:
    """Decide when smoke begins and ends in a clip; half of all begin before it, or end after."""
    begins, ends = dice.chance(0.5), dice.chance(0.5)
    begin, lasts = dice.between(0.1, 0.5) * seconds, dice.between(0.2, 0.4) * seconds
    begin = begin if begins else -math.inf
    return Emission(begin, max(begin, 0.1 * seconds) + lasts if ends else math.inf)


def sample_emissions(dice: Dice, seconds: float) -> list[Emission]:
    """Decide when a chimney smokes in a long time: three to eight times, in order.

    In 24 hours it smokes for 4 to 30 minutes each time, in a shorter time as much shorter.
    """
    parts = dice.count(3, 8)
    emissions = []
    for part in range(parts):
        begin = (part + dice.between(0.1, 0.8)) * seconds / parts
        emissions.append(Emission(begin, begin + dice.between(240, 1800) * seconds / DAY))
    return emissions


def moved(
    layout: Layout, motion: Motion, seconds: float, dice: Dice, emission: Emission | None = None
) -> Layout:
    """Return a layout as it is so many seconds later.

    Args:
        dice: decides about noise and shake of this one picture.
        emission: when there is smoke; without it there is none.
    """
    blown = motion.clouds * seconds
    smokes = emission is not None and emission.begin < seconds < emission.end + motion.fading
    shake = dice.between(-motion.shake, motion.shake), dice.between(-motion.shake, motion.shake)
    return replace(
        layout,
        clouds=tuple(replace(one, drift=-blown * one.frequency) for one in layout.clouds),
        banks=tuple(_blown(one, blown) for one in layout.banks),
        plumes=tuple(_carried(one, motion, seconds, emission) for one in layout.plumes)
        if smokes
        else (),
        steam=tuple(_carried(one, motion, seconds, Emission()) for one in layout.steam),
        camera=replace(layout.camera, seed=dice.seed(), shake=shake),
    )


def _blown(bank: Bank, distance: float) -> Bank:
    way = 1 + 2 * OUTSIDE
    return replace(bank, x=(bank.x + distance + OUTSIDE) % way - OUTSIDE)


def _carried(plume: Plume, motion: Motion, seconds: float, emission: Emission) -> Plume:
    late = max(seconds - emission.end, 0) / motion.fading
    # counted from its beginning, numbers stay small enough for float32
    start = emission.begin if math.isfinite(emission.begin) else 0.0
    return replace(
        plume,
        strength=plume.strength * max(1 - late, 0),
        now=motion.wind * (seconds - start),
        begin=motion.wind * (emission.begin - start),
        end=motion.wind * (emission.end - start),
    )
