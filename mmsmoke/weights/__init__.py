"""Load pretrained weights from packages of the package index, without a model hub.

``init_cfg=dict(type='Pretrained', checkpoint='package://efficientnet-lite0')`` works for any model
of the ecosystem. Of a package only the file of weights is used, none of its code, and the file must
be the one that is known here by its hash.
"""

from .packaged import PACKAGED, load_from_package
