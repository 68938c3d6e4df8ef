"""A sweep takes, for each method, the settings that another sweep has found best."""

import json
import re

import pytest
from fake_executor import fake_engine

from mmsmoke.experiments.run_records import merge_results, read_sweep
from mmsmoke.experiments.sweep import run_sweep
from mmsmoke.experiments.tuning import best_variant, tune
from mmsmoke.reports.sweep_tables import sweep_tables
from mmsmoke.utils import UserError, write_json
from mmsmoke.utils.environment import environment

RATE = 'optim_wrapper.optimizer.lr'
TRIES = """
config = {config!r}
work_dir = {folder!r}
seeds = [0]
options = {{'train_cfg.max_epochs': 1}}
variants = dict(
    net={{'optim_wrapper.optimizer.lr': 0.1}},
    **{{'net, fast': {{'optim_wrapper.optimizer.lr': 0.5}}}},
    net_too={{'optim_wrapper.optimizer.lr': 0.7}},
)
splits = ['val']
threshold_split = 'val'
columns = [('IoU', 'val', 'cam/image_iou')]
"""
TUNED = """
_base_ = './tries.py'
seeds = [0, 1]
tuned = dict(sweep={tries!r}, file={file!r}, split='val', metric='cam/image_iou')
variants = dict(
    _delete_=True,
    net=dict(_base_.variants.net),
    **{{'net, tuned': {{'best_of': 'net', 'train_cfg.max_epochs': 3}}}},
)
"""


def runs_of(**by_name):
    """Return runs whose maps have these IoUs, with seeds 0, 1, …"""
    return [
        dict(variant=name.replace('_fast', ', fast'), seed=seed, splits=dict(val=numbers))
        for name, values in by_name.items()
        for seed, numbers in enumerate({'cam/image_iou': value} for value in values)
    ]


@pytest.fixture
def tuned(tmp_path, monkeypatch):
    """A tuned sweep's file, where its tries go, and the learning rates that are trained with."""
    (tmp_path / 'config.py').write_text(
        'model = dict()\ntrain_cfg = dict(max_epochs=9)\n'
        'optim_wrapper = dict(optimizer=dict(lr=0.2))\n'
    )
    tries, file = tmp_path / 'tries.py', tmp_path / 'tries.json'
    tries.write_text(
        TRIES.format(config=str(tmp_path / 'config.py'), folder=str(tmp_path / 'runs'))
    )
    path = tmp_path / 'tuned.py'
    path.write_text(TUNED.format(tries=str(tries), file=str(file)))
    trained = {}

    def answer(kind, folder, arguments):
        cfg = arguments['config']
        if kind == 'train':
            trained[folder.parent.name, cfg.randomness.seed] = cfg
            return dict(checkpoint=dict(path=str(folder / 'best.pth'), sha256='p'))
        return dict(
            config=dict(sha256='c'),
            checkpoint=dict(sha256='p'),
            data_root='data',
            protocol={},
            splits=dict(val={'cam/image_iou': 100 * cfg.optim_wrapper.optimizer.lr}),
            environment=environment(),
        )

    fake_engine(monkeypatch, answer)
    return path, tries, file, trained


def test_the_best_try_is_trained_with_every_seed(tuned):
    path, tries, file, trained = tuned
    run_sweep(str(tries), out=file)
    trained.clear()
    result = run_sweep(str(path))
    # the tries have done net with seed 0
    assert set(trained) == {('net', 1), ('net, tuned', 0), ('net, tuned', 1)}
    for (name, _), cfg in trained.items():
        assert cfg.optim_wrapper.optimizer.lr == (0.5 if 'tuned' in name else 0.1)
        assert cfg.train_cfg.max_epochs == (3 if 'tuned' in name else 1)
    (row,) = result['chosen']
    assert list(row.values()) == ['net, tuned', 2, 'net, fast', 50.0]
    assert re.search(r'\| net, tuned \| +2 \| net, fast \| +50\.0 \|', sweep_tables(result))

    tries.write_text(tries.read_text().replace("lr': 0.1}", "lr': 0.9}"))
    run_sweep(str(tries), out=file)
    again = run_sweep(str(path))
    assert again['chosen'][0]['settings'] == 'net'
    with pytest.raises(UserError, match='chosen differs'):
        merge_results([result, again])


def test_the_try_that_won_is_known_under_both_names(tuned):
    path, tries, file, trained = tuned
    path.write_text(path.read_text().replace(", 'train_cfg.max_epochs': 3", ''))
    run_sweep(str(tries), out=file)
    result = json.loads(file.read_text())
    result['runs'][0]['splits']['val']['cam/image_iou'] = 60.0  # of net
    write_json(file, result)
    trained.clear()
    found = run_sweep(str(path), work_dir=str(path.parent / 'new'), seeds=[0], known=[file])
    assert not trained
    assert [run['variant'] for run in found['runs']] == ['net', 'net, tuned']
    assert [run['splits']['val']['cam/image_iou'] for run in found['runs']] == [60.0, 60.0]


def test_without_tries_what_is_not_tuned_can_be_trained(tuned):
    path, tries, file, trained = tuned
    result = run_sweep(str(path), variants=['net'], seeds=[0])
    assert set(trained) == {('net', 0)} and 'chosen' not in result
    command = f'python tools/sweep.py {tries} --out {file} makes it'
    for asked in (None, ['net, tuned']):
        with pytest.raises(UserError, match='cam/image_iou of net with every seed') as error:
            run_sweep(str(path), variants=asked)
        assert command in str(error.value)


@pytest.mark.parametrize(
    'runs, best',
    [
        (dict(net=[1.0], net_fast=[2.0], net_too=[9.0]), ('net, fast', 2.0)),
        (dict(net_fast=[2.0], net=[2.0]), ('net', 2.0)),  # equal: the earlier of the file
        (dict(net=[5.0, 0.0], net_fast=[3.0, 4.0]), ('net, fast', 3.5)),
    ],
)
def test_the_highest_mean_wins(tmp_path, runs, best):
    file = tmp_path / 'r.json'
    write_json(file, dict(sweep='configs/s.py', runs=runs_of(**runs)))
    chosen = dict(sweep='s.py', file=str(file), split='val', metric='cam/image_iou')
    assert best_variant(chosen, ['net', 'net, fast']) == best


@pytest.mark.parametrize(
    'runs',
    [{}, dict(net=[1.0]), dict(net=[1.0, 2.0], net_fast=[3.0]), dict(net=[1.0], net_fast=[None])],
)
def test_a_try_that_is_missing_is_named_with_the_command_that_makes_it(tmp_path, runs):
    file = tmp_path / 'r.json'
    write_json(file, dict(sweep='s.py', scale='big', runs=runs_of(**runs)))
    chosen = dict(sweep='s.py', file=str(file), split='val', metric='cam/image_iou')
    name = 'net, fast' if runs else 'net'
    with pytest.raises(UserError, match=f'of {name} with every seed.* s.py --scale big --out'):
        best_variant(chosen, ['net', 'net, fast'], 'big')


@pytest.mark.parametrize('made_by', [dict(sweep='s.py'), dict(sweep='t.py', scale='big'), {}])
def test_numbers_of_another_sweep_or_scale_do_not_count(tmp_path, made_by):
    file = tmp_path / 'r.json'
    write_json(file, dict(made_by, runs=runs_of(net=[1.0])))
    chosen = dict(sweep='s.py', file=str(file), split='val', metric='cam/image_iou')
    with pytest.raises(UserError, match='of net with every seed'):
        best_variant(chosen, ['net'], 'big')


def test_a_method_that_was_not_tried_is_named(tuned):
    path, tries, file, _ = tuned
    path.write_text(path.read_text().replace("'best_of': 'net'", "'best_of': 'web'"))
    run_sweep(str(tries), out=file)
    with pytest.raises(UserError, match=r'tries.py has tried no web, but net, net_too'):
        tune(read_sweep(str(path)))
