"""Turn masks into polygons of annotation tools, and back.

Everywhere the pixel (x, y) is the square from there to (x + 1, y + 1). Besides the classes there
are two labels that paint: ``background`` (a hole) and ``ignore`` (255 in a mask).
"""

from .blobs import Blob, blobs_of, with_slits
from .names import BACKGROUND, UNKNOWN, require_classes, value_of_labels
from .readers import read_drawings
from .sources import Picture, known_images, pictures_of
from .store import store_masks
from .writers import FORMATS, write_polygons
