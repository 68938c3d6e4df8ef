"""What a pipeline config may say."""

import pytest

from mmsmoke.experiments.chain import Chain
from mmsmoke.experiments.plan import load_plan
from mmsmoke.utils import UserError

PLAN = """
classify = dict(config='configs/cam/resnet18-s_12e_smokestack-128.py')
"""


@pytest.fixture
def plan(tmp_path):
    """Function that reads a plan of two stages and more lines."""

    def read(more='', **options):
        path = tmp_path / 'mine.py'
        path.write_text(PLAN + more)
        return load_plan(path, tmp_path, options)

    return read


def test_a_classifier_is_all_that_is_needed(plan):
    found = plan()
    assert found.label == {}
    assert (found.seeds, found.test_splits) == ([0], ['test'])
    assert (found.picture_split, found.threshold_split) == ('test', None)


def test_one_may_be_said_without_a_list(plan):
    found = plan(seeds=3, test_splits='far')
    assert (found.seeds, found.test_splits, found.picture_split) == ([3], ['far'], 'far')


@pytest.mark.parametrize(
    ('more', 'message'),
    [
        ('treshold_split = "val"', "has no key 'treshold_split'; it may have .*threshold_split"),
        ('segmnet = dict(config="a.py")', "has no key 'segmnet'"),
        ('segment = dict(config="a.py", sede=1)', "segment has no key 'sede'; .*seed"),
        ('full = dict(start_from_classifier=True)', "full has no key 'start_from"),
        ('label = dict(config="a.py")', "label has no key 'config'; it may have refine"),
        ('self_training = dict(seed=1)', "self_training has no key 'seed'"),
        ('segment = "a.py"', 'segment must be a dict'),
        ('segment = dict(seed=1)', 'segment must be a dict with config'),
        ('self_training = dict(rounds=1)', 'self_training needs the stage segment'),
        ('full = dict()', 'full needs the stage segment'),
        ('seeds = ["a"]', r"seeds must be a list of int, got \['a'\]"),
        ('seeds = []', 'seeds must be a list of int'),
        ('test_splits = [1]', 'test_splits must be a list of str'),
        ('del classify', 'needs the stage classify'),
        ('num_masks = 5', r'nobody sees the 5 true masks: .*classify=dict\(masks=True\)'),
        ('num_masks = 2.5', 'num_masks must be a whole number, got 2.5'),
        (
            'segment = dict(config="a.py")\nself_training = dict(rounds="two")',
            "self_training.rounds must be a whole number, got 'two'",
        ),
        ('mask_weight = 3', 'mask_weight is of true masks: say how many'),
        (
            'segment = dict(config="a.py")\n'
            'self_training = dict(rounds=1, agree_with=dict(config="b.py", optons={}))',
            "self_training.agree_with has no key 'optons'",
        ),
        (
            'segment = dict(config="a.py")\nself_training = dict(rounds=1, agree_with=dict())',
            'self_training.agree_with must have a config',
        ),
        (
            'segment = dict(config="a.py")\nself_training = dict(agree_with="b.py")',
            'self_training.agree_with needs rounds',
        ),
        ('classify["masks"] = True', 'classify has masks=True: say how many, as num_masks=25'),
        ('segment = dict(config="a.py", masks=True)', "segment has no key 'masks'"),
        (
            'segment = dict(config="a.py")\n'
            'self_training = dict(rounds=1, agreement=True, agree_with="b.py")',
            'agreement, with the masks before, and agree_with',
        ),
        ('label = dict(threshold="per_class")', "threshold='per_class' needs a threshold_split"),
        (
            'segment = dict(config="a.py")\nself_training = dict(rounds=1, threshold="per_class")',
            'self_training.threshold is a number, or a dict',
        ),
    ],
)
def test_what_it_must_not_say_is_an_error(plan, more, message):
    with pytest.raises(UserError, match=message):
        plan(more)


@pytest.mark.parametrize('said', [True, False])
def test_full_supervision_can_be_asked_for_in_a_word(plan, said):
    found = plan('segment = dict(config="a.py")', full=said)
    assert ('full' in found) == said and found.get('full', {}) == {}


def test_an_option_of_the_command_line_leaves_the_others_of_the_plan(plan, tmp_path):
    """A plan writes them with dots; the command line makes a dict of its own."""
    found = plan(
        'classify["options"] = {"train_dataloader.batch_size": 3,\n'
        '                       "train_dataloader.num_workers": 1}',
        **{'classify.options.train_dataloader.batch_size': 5},
    )
    loader = Chain(found, tmp_path, 0).config('classify').train_dataloader
    assert (loader.batch_size, loader.num_workers) == (5, 1)
