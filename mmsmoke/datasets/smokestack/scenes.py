"""Decide about Smokestack: drawn scenes in which smoke and chimneys come together on purpose.

`P(chimney | smoke)` and `P(chimney | clear)` are knobs. Both change nothing but the presence of
chimneys (and, in smoke without a chimney, where the plume rises from), so that what a model makes
of a picture can be traced back to them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice

from mmsmoke.utils import UserError

from .drawing.counterfactuals import counterfactuals, is_telling
from .drawing.dice import Dice
from .drawing.elements import Layout, Scene
from .drawing.layout import sample_layout
from .drawing.motion import (
    Emission,
    Motion,
    moved,
    sample_emission,
    sample_emissions,
    sample_motion,
)
from .drawing.render import render

DRAWING_VERSION = 2
"""Raised whenever the same (seed, split, index) would give another picture."""
MOTION_VERSION = 1
"""Likewise of the same moving scene, where its single picture stays what it is."""
PRESETS = {'easy': 0.5, 'biased': 0.1, 'extreme': 0.0}
"""P(chimney | clear) by name."""
PAIRS = 'pairs'
UNLABELLED = 'unlabelled'
SPLITS = ('train', 'val', 'test', 'chimney_only', 'smoke_only', PAIRS, UNLABELLED)
PRESENCE = {'chimney_only': (False, True), 'smoke_only': (True, False), PAIRS: (True, True)}
"""Whether there is smoke, and whether there is a chimney, in splits where chance has no say."""
P_SMOKE = P_STEAM = 0.5
P_CHIMNEY_UNLABELLED = 0.5
"""P(chimney | clear) in the split ``unlabelled``, whatever it is where labels are learned from."""
MIN_SIZE = 32


@dataclass(frozen=True)
class Frame:
    """Hold a moving scene at one time, in seconds, and whether any pixel of it will be smoke."""

    layout: Layout
    time: float
    smokes: bool


class Smokestack:
    """Make the scenes of one preset, each decided by (seed, split, index) alone.

    Args:
        preset: Name in `PRESETS`; gives P(chimney | clear).
        size: Side of the images in pixels.
        seed: The same seed gives the same scenes in every preset, but for the chimneys.
        p_chimney_smoke: P(chimney | smoke). Smoke without a chimney rises from behind buildings.
        p_chimney_clear: P(chimney | clear) instead of the preset's.
        steam: Steam from cooling towers is a second class, and P(tower | no steam) is
            P(chimney | clear). Splits of `PRESENCE` show neither.
    """

    def __init__(
        self,
        preset: str = 'biased',
        size: int = 128,
        seed: int = 0,
        p_chimney_smoke: float = 1.0,
        p_chimney_clear: float | None = None,
        steam: bool = False,
    ):
        if preset not in PRESETS:
            raise UserError(f'unknown preset {preset!r}; choose from {", ".join(PRESETS)}')
        if p_chimney_clear is None:
            p_chimney_clear = PRESETS[preset]
        shares = {'p_chimney_smoke': p_chimney_smoke, 'p_chimney_clear': p_chimney_clear}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise UserError(f'{name} must lie between 0 and 1, not {share}')
        if size < MIN_SIZE:
            raise UserError(f'size must be at least {MIN_SIZE}, not {size}')
        if seed < 0:
            raise UserError(f'seed must not be negative, not {seed}')
        self.preset = preset
        self.size = size
        self.seed = seed
        self.p_chimney_smoke = float(p_chimney_smoke)
        self.p_chimney_clear = float(p_chimney_clear)
        self.steam = steam

    def _entropy(self, split: str, index: int) -> tuple[int, int, int]:
        if split not in SPLITS:
            raise UserError(f'unknown split {split!r}; choose from {", ".join(SPLITS)}')
        return self.seed, SPLITS.index(split), index

    def _presence(self, split: str, index: int) -> tuple[bool, bool, bool, bool]:
        """Return whether there is smoke, a chimney, steam and a cooling tower."""
        dice = Dice(*self._entropy(split, index), 0)
        if split in PRESENCE:
            return *PRESENCE[split], False, False
        smokes = dice.chance(P_SMOKE)
        idle = P_CHIMNEY_UNLABELLED if split == UNLABELLED else self.p_chimney_clear
        has_chimney = dice.chance(self.p_chimney_smoke if smokes else idle)
        steams = self.steam and dice.chance(P_STEAM)
        return smokes, has_chimney, steams, self.steam and (dice.chance(idle) or steams)

    def labels(self, split: str, index: int) -> dict[str, int]:
        """Return 1 or 0 for each class."""
        smokes, _, steams, _ = self._presence(split, index)
        return dict(smoke=int(smokes), **(dict(steam=int(steams)) if self.steam else {}))

    def layout(self, split: str, index: int) -> Layout:
        """Make every random decision about a scene, in units of the image side."""
        return sample_layout(self._entropy(split, index), *self._presence(split, index))

    def scene(self, split: str, index: int) -> Scene:
        return render(self.layout(split, index), self.size)

    def pairs(self, number: int) -> Iterator[tuple[int, dict[str, Layout]]]:
        """Yield so many scenes of the split ``pairs``, by index: the layout of each kind.

        Scenes whose smoke or chimneys can hardly be seen in one of the kinds are passed over.
        """
        scenes = ((index, counterfactuals(self.layout(PAIRS, index))) for index in count())
        return islice((scene for scene in scenes if is_telling(scene[1])), number)

    def clip(self, split: str, index: int, frames: int, every: float) -> list[Frame]:
        """Return a scene in motion.

        Smoke may begin and end within the clip. Where that leaves nothing to be seen of it, it is
        there all along.

        Args:
            every: seconds between two frames.
        """
        entropy, layout = self._entropy(split, index), self.layout(split, index)
        dice = Dice(*entropy, 20)
        motion = sample_motion(dice, layout)

        def during(emission: Emission) -> list[Frame]:
            return [
                self._frame(layout, motion, frame * every, Dice(*entropy, 21, frame), emission)
                for frame in range(frames)
            ]

        found = during(sample_emission(dice, (frames - 1) * every))
        hidden = layout.label and not any(frame.smokes for frame in found)
        return during(Emission()) if hidden else found

    def cameras(self, number: int, hours: float, every: float) -> Iterator[list[Frame]]:
        """Yield what each of so many cameras sees of a day: a chimney that smokes now and then."""
        for index, kinds in self.pairs(number):
            entropy, layout = self._entropy(PAIRS, index), kinds['both']
            dice, seconds = Dice(*entropy, 22), 3600 * hours
            motion, emissions = sample_motion(dice, layout), sample_emissions(dice, seconds)
            times = [frame * every for frame in range(math.ceil(seconds / every))]
            yield [
                self._frame(
                    layout, motion, time, Dice(*entropy, 23, frame), latest(emissions, time)
                )
                for frame, time in enumerate(times)
            ]

    def _frame(
        self, layout: Layout, motion: Motion, time: float, dice: Dice, emission: Emission | None
    ) -> Frame:
        layout = moved(layout, motion, time, dice, emission)
        bare = replace(layout, clouds=(), banks=(), ridges=())  # what is behind all smoke
        smokes = bool(layout.plumes) and bool(render(bare, self.size).smoke.any())
        return Frame(layout, time, smokes)


def latest(emissions: Sequence[Emission], time: float) -> Emission | None:
    """Return the last emission that has begun, if any."""
    return next((emission for emission in reversed(emissions) if emission.begin <= time), None)
