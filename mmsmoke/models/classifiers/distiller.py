from mmengine.model import BaseModel
from torch import Tensor, nn

from mmsmoke.registry import MODELS
from mmsmoke.structures import WeakSegDataSample
from mmsmoke.utils import UserError, resolve_network


class Distiller(BaseModel):
    """Train a classifier by more than labels, and be that classifier to everybody else.

    Predictions and maps are those of ``student``, the classifier that learns, alone, and
    ``tools/model_converters/publish_student.py`` cuts it out of a checkpoint. A subclass says what
    the losses are, given the student's features.

    Args:
        student: a classifier of ours: a model as in any config, or ``dict(config='cam/….py', …)``,
            the model of that config with the other keys merged into it.
    """

    def __init__(self, student: dict, init_cfg: dict | None = None):
        student = MODELS.build(resolve_network(student))
        require_classifier(student, 'student')
        super().__init__(data_preprocessor=student.data_preprocessor, init_cfg=init_cfg)
        self.student = student

    @property
    def cam_normalize(self) -> str:
        return self.student.cam_normalize

    def read_out_by(self, cam: dict) -> None:
        """Read the student's maps out in another way from now on."""
        self.student.read_out_by(cam)

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[WeakSegDataSample] | None = None,
        mode: str = 'tensor',
    ):
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        return self.student(inputs, data_samples, mode)

    def predict(self, inputs: Tensor, data_samples: list | None = None, **kwargs) -> list:
        return self.student.predict(inputs, data_samples, **kwargs)

    def loss(self, inputs: Tensor, data_samples: list[WeakSegDataSample]) -> dict[str, Tensor]:
        return self.losses_of(inputs, self.student.extract_feat(inputs), data_samples)

    def losses_of(
        self, inputs: Tensor, feats: tuple[Tensor, ...], data_samples: list[WeakSegDataSample]
    ) -> dict[str, Tensor]:
        """Return all losses of images, of which the student's features are known."""
        raise NotImplementedError


def require_classifier(network: nn.Module, role: str, learns: bool = True) -> None:
    """Raise for a network whose features, or losses, a distiller cannot ask for.

    Args:
        learns: from labels, so that its losses are asked for.
    """
    name = type(network).__name__
    if not hasattr(network, 'head'):
        raise UserError(
            f'the {role} must be a classifier, not {name}: name the config of the one inside it'
        )
    if learns and not shares_features(network):
        raise UserError(
            f'the {role} cannot be {name}: it computes features by itself to have its loss, which '
            'would be left out; take a mmsmoke.CAMClassifier'
        )


def shares_features(classifier: nn.Module) -> bool:
    """Tell whether the losses of a classifier are those of features that somebody else may have.

    They are if it says so by ``losses_of``, unless a subclass goes on to compute a ``loss`` that
    needs more, as ACR's does.
    """
    for kind in type(classifier).__mro__:
        if 'losses_of' in vars(kind):
            return True
        if 'loss' in vars(kind):
            return False
    return False
