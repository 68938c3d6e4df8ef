import io
import logging
import re
import subprocess
import sys
from contextlib import redirect_stdout

import pytest
from mmengine.logging import MMLogger
from mmengine.registry import MODELS, DefaultScope

from mmsmoke.utils.quiet import keep_quiet

TIMM = dict(type='TIMMBackbone', model_name='test_resnet', features_only=True, out_indices=(4,))


@pytest.fixture
def logs(tmp_path):
    """The screen and the log file of a logger that is kept quiet, and the logger."""
    screen = io.StringIO()
    with redirect_stdout(screen):
        logger = MMLogger.get_instance(tmp_path.name, log_file=str(tmp_path / 'run.log'))
    keep_quiet(logger)
    return screen, tmp_path / 'run.log', logger


def test_what_networks_of_timm_say_is_for_the_log_file_alone(logs):
    screen, file, _ = logs
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        MODELS.build(TIMM)
    assert len(re.findall('backbone out_(?:indices|channels|strides): ', file.read_text())) == 3
    assert 'backbone' not in screen.getvalue()


def test_what_mmengine_says_of_each_frozen_parameter_is_for_the_log_file_alone(logs):
    screen, file, logger = logs
    logger.warning('teacher.head.weight is skipped since its requires_grad=False')
    logger.warning('weight is skipped')
    assert 'teacher.head' in file.read_text() and 'teacher.head' not in screen.getvalue()
    assert 'weight is skipped' in screen.getvalue()


def test_noise_is_nowhere_and_the_rest_is_in_both(logs):
    screen, file, logger = logs
    for text in ('"FileClient" will be deprecated in future', 'worth reading', 'Config:\nlong'):
        logger.warning(text)
        keep_quiet(logger)  # once more changes nothing
    assert len(logger.filters) == 1
    for text in (screen.getvalue(), file.read_text()):
        assert 'FileClient' not in text and text.count('worth reading') == 1
    assert 'Config' not in screen.getvalue() and 'Config:\nlong' in file.read_text()


def test_libraries_say_nothing_while_they_are_imported():
    code = (
        'from mmsmoke.utils.quiet import silence_known_noise; silence_known_noise();'
        'import mmpretrain.datasets, mmseg.datasets;'
        'from mmengine.logging import print_log; print_log("mine")'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    assert line.endswith(' - mine')


def test_the_file_of_a_run_is_not_the_screen():
    handler = logging.FileHandler('unused.log', delay=True)
    logger = logging.Logger('own')
    logger.addHandler(handler)
    keep_quiet(logger)
    assert not handler.filters
