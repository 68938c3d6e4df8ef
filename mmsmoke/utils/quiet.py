"""Silence messages of the libraries below that tell the user nothing: narrowly, and only here."""

import logging
import warnings

WARNINGS = (
    'Fail to import ``MultiScaleDeformableAttention``',
    'Default ``avg_non_ignore`` is False',
    'For binary segmentation, we suggest using',
    "Only use 'alpha' for pillow backend",
    'Image size .* exceeds limit of',
)


class Without(logging.Filter):
    """Keep out messages that begin with one of some texts, or end with one."""

    def __init__(self, *beginnings: str, endings: tuple[str, ...] = ()):
        super().__init__()
        self.beginnings, self.endings = beginnings, endings

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not (message.startswith(self.beginnings) or message.endswith(self.endings))


EVERYWHERE = Without(
    'The prefix is not set in metric class',
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias of "LocalBackend"',
)
# what a run logs and a user need not read while it goes on; the log file holds it
ON_SCREEN = Without(
    '\n' + 60 * '-' + '\nSystem environment:',
    'Config:\n',
    'Hooks will be executed in the following order:\n',
    'Distributed training is not used, all SyncBatchNorm',
    'Checkpoints will be saved to ',
    'Exp name: ',
    # mmseg's table of each class
    'per class results:',
    '\n+--',
    # AtomicCheckpointHook says what is best so far
    'The best checkpoint with ',
    'The previous best checkpoint ',
    # mmpretrain's, of each network from timm
    'backbone out_',
    # mmengine's, of each parameter of a frozen teacher
    endings=(' is skipped since its requires_grad=False',),
)


def silence_known_noise() -> None:
    """Call once, before models and data sets are built."""
    from mmengine.logging import MMLogger, print_log

    silence_warnings()
    # without a logger a message is printed, whatever its level
    print_log.__defaults__ = 'current', logging.INFO
    keep_quiet(MMLogger.get_current_instance())


def silence_warnings() -> None:
    """Silence the warnings alone, which loads no mmengine: enough where nothing is built."""
    for pattern in WARNINGS:
        warnings.filterwarnings('ignore', message=f'.*({pattern})')


def keep_quiet(logger: logging.Logger) -> None:
    """Filter what a logger says, and more of what it says on the screen."""
    logger.addFilter(EVERYWHERE)
    for handler in logger.handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.addFilter(ON_SCREEN)
