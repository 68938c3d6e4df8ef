"""Name what a scene consists of, as decided (`Layout`) and as drawn (`Scene`)."""

import math
from dataclasses import dataclass

import numpy as np

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Sky:
    zenith: Color
    horizon: Color
    glow: Color
    glow_x: float
    glow_y: float
    glow_radius: float
    light: tuple[float, float]  # unit vector towards the light, in the image plane


@dataclass(frozen=True)
class CloudLayer:
    """Describe clouds all over the sky, seen in perspective."""

    seed: int
    cover: float
    softness: float
    opacity: float
    frequency: float
    shear: float
    lit: Color
    shade: Color
    drift: float = 0.0  # how far it was blown, in cells of its noise


@dataclass(frozen=True)
class Bank:
    """Describe a single cloud, a drifting haze or a fog bank."""

    seed: int
    x: float
    y: float
    length: float
    height: float
    slope: float
    opacity: float
    softness: float
    lit: Color
    shade: Color


@dataclass(frozen=True)
class Ridge:
    """Describe a silhouette across the image: hills, or a far skyline when it has `steps`."""

    seed: int
    y: float
    height: float
    frequency: float
    steps: bool
    color: Color


@dataclass(frozen=True)
class Ground:
    seed: int
    y: float  # the horizon
    near: Color
    far: Color
    contrast: float


@dataclass(frozen=True)
class Building:
    seed: int
    x: float
    width: float
    top: float
    base: float
    roof: str  # flat, gable or saw
    roof_height: float
    wall: Color
    roofing: Color
    glass: Color
    lit_share: float  # of its windows
    columns: int
    floors: int


@dataclass(frozen=True)
class Chimney:
    x: float
    top: float
    base: float
    width_top: float
    width_base: float
    color: Color
    band: Color
    bands: int
    bands_down_to: float


@dataclass(frozen=True)
class Tower:
    """Describe a cooling tower, narrowest at its waist."""

    x: float
    top: float
    base: float
    width_top: float
    width_waist: float
    width_base: float
    waist: float  # its place, from 0 at the top to 1 at the base
    color: Color


@dataclass(frozen=True)
class Plume:
    """Describe smoke or steam from (x, y), risen by `rise` and blown by `reach` at its far end.

    Time, which moves it, is told in turns: the lengths, counted in radii, that smoke is carried.
    There is no smoke but what left the foot from `begin` to `end`.
    """

    seed: int
    x: float
    y: float
    radius: float
    rise: float
    reach: float
    spread: float  # radius gained per length
    meander: float
    strength: float  # opacity where it is densest
    thinning: float  # of the opacity, towards the far end
    billow: float  # lumps per radius
    lit: Color
    shade: Color
    now: float = 0.0
    begin: float = -math.inf
    end: float = math.inf


@dataclass(frozen=True)
class Camera:
    seed: int
    gain: Color
    vignette: float
    noise: float
    shake: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Layout:
    """Hold what stands where, far to near. Replace a field to get an exact counterfactual."""

    sky: Sky
    clouds: tuple[CloudLayer, ...]
    banks: tuple[Bank, ...]
    ridges: tuple[Ridge, ...]
    ground: Ground
    chimneys: tuple[Chimney, ...]
    plumes: tuple[Plume, ...]
    buildings: tuple[Building, ...]
    fog: tuple[Bank, ...]
    camera: Camera
    towers: tuple[Tower, ...] = ()
    steam: tuple[Plume, ...] = ()

    @property
    def label(self) -> int:
        return int(bool(self.plumes))


@dataclass(frozen=True)
class Scene:
    """Hold a drawn layout.

    Attributes:
        image: uint8 [H, W, 3], RGB.
        smoke: uint8 [H, W], 1 where `opacity` exceeds `OPACITY_CUT` and that of steam.
        context: uint8 [H, W], 1 on chimney pixels and 2 on those of cooling towers that no plume
            and no building hides; 0 on all pixels of smoke and steam.
        opacity: float32 [H, W], visible opacity of all smoke together.
        label: 1 if any smoke was laid out.
        steam: uint8 [H, W], 1 where the visible opacity of steam exceeds `OPACITY_CUT` and is not
            less than that of smoke.
    """

    image: np.ndarray
    smoke: np.ndarray
    context: np.ndarray
    opacity: np.ndarray
    label: int
    steam: np.ndarray
