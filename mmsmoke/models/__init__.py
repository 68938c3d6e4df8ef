from .backbones import *
from .cams import *
from .classifiers import *
from .heads import *
from .losses import *
from .necks import *
from .refiners import *
from .segmentors import *
