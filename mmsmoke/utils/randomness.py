import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_everything(*what: str | int) -> None:
    """Seed Python, NumPy and torch by a name and numbers, as in ``('step', seed, 17)``."""
    torch.manual_seed(_seed_cpu(*what))


@contextmanager
def seeded(*what: str | int) -> Iterator[None]:
    """Seed the CPU's randomness inside; outside it goes on as if nothing had happened."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    _seed_cpu(*what)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def _seed_cpu(*what: str | int) -> int:
    digest = hashlib.sha256(repr(what).encode()).digest()
    seed = int.from_bytes(digest[:4], 'big')
    random.seed(seed)
    np.random.seed(seed)
    # torch.manual_seed would note a stack trace for each GPU that is not in use: a millisecond
    torch.default_generator.manual_seed(seed)
    return seed
