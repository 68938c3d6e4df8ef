import multiprocessing

import pytest
from mmengine.config import Config

from mmsmoke.apis import stages
from mmsmoke.apis.evaluate import masks_hash_of
from mmsmoke.apis.launch import load_config
from mmsmoke.apis.stages import (
    begin,
    input_hashes,
    run_tool,
    take_turns,
    train_and_test,
)
from mmsmoke.utils import UserError, write_json
from mmsmoke.utils.locks import exclusive


def test_a_step_is_open_until_it_has_results(tmp_path):
    folder, settings = tmp_path / 'step', dict(lr=0.1, splits=('val', 'test'))
    assert begin(folder, settings) is None
    assert begin(folder, settings) is None
    write_json(folder / 'results.json', dict(answer=42))
    assert begin(folder, settings) == dict(answer=42)


def test_other_settings_put_the_folder_aside_and_say_what_changed(tmp_path, capsys):
    folder = tmp_path / 'step'
    begin(folder, dict(model=dict(depth=18)))
    (folder / 'work.pth').write_text('kept')
    assert begin(folder, dict(model=dict(depth=50))) is None
    assert 'model.depth: 18 -> 50' in capsys.readouterr().out
    assert (tmp_path / 'step.old-1/work.pth').read_text() == 'kept'
    begin(folder, dict(model=dict(depth=101)))
    assert (tmp_path / 'step.old-2').is_dir()


def _hold(folder, ready, done):
    with exclusive(folder):
        ready.set()
        done.wait()


def test_two_runs_cannot_share_a_folder(tmp_path):
    context = multiprocessing.get_context('spawn')
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, ready, done))
    other.start()
    ready.wait()
    with pytest.raises(UserError, match='another run is at work'), exclusive(tmp_path):
        pass
    other.kill()
    other.join()
    with exclusive(tmp_path):
        pass


def test_what_a_training_reads_is_part_of_its_settings(tmp_path, tiny_dataset):
    root = tiny_dataset()

    def hashes(masks):
        train = dict(data_root=str(root), seg_map_dir=masks)
        cfg = Config(dict(model=dict(), train_dataloader=dict(dataset=train)))
        return input_hashes(cfg)

    true = hashes('{data_root}/masks')
    assert true == hashes('{data_root}/masks') and f'{root}/masks' in true
    mask = root / 'masks/train_0.png'
    mask.write_bytes((root / 'masks/train_2.png').read_bytes())
    changed = hashes('{data_root}/masks')
    assert [name for name in true if true[name] != changed[name]] == [f'{root}/masks']
    # of pseudo masks it is the manifest
    folder = tmp_path / 'label/masks'
    folder.mkdir(parents=True)
    write_json(tmp_path / 'label/manifest.json', dict(threshold=0.3))
    before = hashes(str(folder))
    assert set(before) == {f'{root}/labels.csv', str(tmp_path / 'label/manifest.json')}
    write_json(tmp_path / 'label/manifest.json', dict(threshold=0.4))
    assert hashes(str(folder)) != before


def test_new_true_masks_are_noticed(tmp_path, tiny_dataset, monkeypatch):
    """Those of the test ask for a new test, those that choose a checkpoint for a new training."""
    root, folder, done = tiny_dataset(), tmp_path / 'run', []
    config = 'configs/cam/resnet18-s_12e_smokestack-128.py'
    cfg = load_config(config, folder, dict(data_root=str(root)))

    def tool(name, *arguments, log):
        done.append(name)
        if name == 'test.py':
            masks = masks_hash_of(cfg, ['val', 'test'])
            write_json(folder / 'results.json', dict(masks_sha256=masks))

    monkeypatch.setattr(stages, 'run_tool', tool)
    monkeypatch.setattr(stages, 'best_checkpoint', lambda folder: folder / 'best.pth')
    for mask, expected in (
        (None, ['train.py', 'test.py']),
        (None, []),
        ('train_0', []),  # which nothing reads
        ('test_0', ['test.py']),
        ('val_0', ['train.py', 'test.py']),
    ):
        if mask:
            (root / f'masks/{mask}.png').unlink()
        done.clear()
        train_and_test(cfg, folder, ['test'], 'val')
        assert done == expected


def test_turns_are_taken_in_the_order_of_what_is_needed(tmp_path):
    todo = dict(c={'b'}, a=(), b={'a'})
    assert list(take_turns(todo, tmp_path, str)) == ['a', 'b', 'c']
    with pytest.raises(UserError, match='b, c need each other in a circle'):
        list(take_turns(dict(a=(), b={'c'}, c={'b'}), tmp_path, str))


def test_work_that_another_process_is_at_comes_later(tmp_path, capsys, monkeypatch):
    other = exclusive(tmp_path / 'a')
    other.__enter__()
    monkeypatch.setattr(
        'mmsmoke.apis.stages.time.sleep', lambda _: other.__exit__(None, None, None)
    )
    assert list(take_turns(dict(a=(), b=()), tmp_path, str)) == ['b', 'a']
    assert capsys.readouterr().out.count('a: another process is at it') == 1


def test_a_failing_tool_shows_the_end_of_its_output_and_names_the_log(tmp_path, capfd):
    log = tmp_path / 'train.log'
    with pytest.raises(UserError, match=f'exit code 2.*{log}'):
        run_tool('train.py', tmp_path / 'missing.py', log=log)
    assert 'missing.py not found' in capfd.readouterr().out
    assert 'missing.py not found' in log.read_text()


def test_of_the_output_of_a_tool_the_lines_of_progress_are_shown(tmp_path, capfd, monkeypatch):
    progress = [
        'Epoch(train) [1][ 1/25]  lr: 5.0e-05  loss: 0.7',
        'Epoch(val) [1][4/4]    cam/image_iou: 6.9  (12 more in the log file)',
        'best so far: cam/image_iou 6.88 (epoch 1), this epoch 6.88',
    ]
    lines = [*progress, 'Saving checkpoint at 1 epochs']
    lines = [f'11/29 13:53:09 - mmengine - INFO - {line}' for line in lines]
    (tmp_path / 'tool.py').write_text(f'print({chr(10).join(lines)!r})')
    monkeypatch.setattr(stages, 'TOOLS', tmp_path)
    run_tool('tool.py', log=tmp_path / 'tool.log')
    shown = capfd.readouterr().out.splitlines()
    assert shown == ['$ python tools/tool.py', *(f'  {line}' for line in progress)]
    assert (tmp_path / 'tool.log').read_text().splitlines() == lines
