"""Draw from seeded chance."""

import numpy as np

from .elements import Color


def generator(*entropy: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


class Dice:
    """Draw uniformly for one element of one scene, untouched by what other elements draw."""

    def __init__(self, *entropy: int):
        self._generator = generator(*entropy)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._generator.random()

    def chance(self, probability: float) -> bool:
        return self._generator.random() < probability

    def count(self, low: int, high: int) -> int:
        """Draw between `low` and `high`, both included."""
        return int(self._generator.integers(low, high + 1))

    def choice(self, options):
        return options[int(self._generator.integers(len(options)))]

    def seed(self) -> int:
        return int(self._generator.integers(2**32))

    def side(self) -> int:
        return 1 if self.chance(0.5) else -1

    def near(self, color: Color, spread: float) -> Color:
        gray = self.between(-spread, spread)
        return tuple(
            min(max(value + gray + self.between(-spread, spread) / 2, 0.02), 1.0) for value in color
        )
