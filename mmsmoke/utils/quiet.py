"""Silences messages of the libraries below that tell the user nothing. Narrowly, and only here."""

import warnings

WARNINGS = (
    'Fail to import ``MultiScaleDeformableAttention``',
    'Default ``avg_non_ignore`` is False',
    'For binary segmentation, we suggest using',
    "Only use 'alpha' for pillow backend",
    'Image size .* exceeds limit of',
)
LOGS = (
    'The prefix is not set in metric class',
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias of "LocalBackend"',
    'Could not import OneDL',
)
# what a run logs and a user need not read while it goes on; the log file holds it
FILE_ONLY = (
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
)


def silence_known_noise() -> None:
    """Call once, before models and data sets are built."""
    import mmengine.evaluator.metric
    import mmengine.fileio.file_client
    import mmengine.logging

    silence_warnings()
    if not hasattr(mmengine.logging.print_log, 'unfiltered'):
        quiet = _without_noise(mmengine.logging.print_log)
        # the others took their own reference to print_log before we could wrap it
        for module in (mmengine.logging, mmengine.fileio.file_client, mmengine.evaluator.metric):
            module.print_log = quiet


def silence_warnings() -> None:
    """Silence the warnings alone, which loads no torch: enough where nothing is built."""
    for pattern in WARNINGS:
        warnings.filterwarnings('ignore', message=f'.*({pattern})')


def belongs_on_screen(message: str) -> bool:
    """Is the message of a run for the screen, too, and not for its log file alone?"""
    return not message.startswith(FILE_ONLY)


def _without_noise(print_log):
    def quiet(msg, *args, **kwargs):
        if not str(msg).startswith(LOGS):
            print_log(msg, *args, **kwargs)

    quiet.unfiltered = print_log
    return quiet
