import json
import time
from pathlib import Path

import pytest
from fake_executor import fake_engine
from mmengine.config import Config

from mmsmoke.experiments.run_records import (
    all_settings,
    merge_results,
    read_sweep,
    settings_hash,
)
from mmsmoke.experiments.sweep import run_sweep
from mmsmoke.experiments.variants import needs_of
from mmsmoke.utils import UserError, write_json
from mmsmoke.utils.environment import environment
from mmsmoke.utils.locks import exclusive

SWEEP = """
config = {config!r}
work_dir = {folder!r}
seeds = [0, 1]
options = {{'train_cfg.max_epochs': 1}}
variants = dict(
    student={{'model.init_cfg.checkpoint': '{{best:teacher}}', 'config': {other!r}}},
    teacher={{'optim_wrapper.optimizer.lr': 0.5}},
)
splits = ['val']
threshold_split = 'val'
columns = [('accuracy', 'val', 'label/accuracy')]
"""


def result_of(accuracy):
    """Return a result as a test step does."""
    return dict(
        config=dict(sha256='c'),
        checkpoint=dict(sha256='p'),
        data_root='data',
        labels_sha256='l',
        deterministic=False,
        protocol={},
        splits=dict(val={'label/accuracy': accuracy}),
        environment=environment(),
    )


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """A sweep file, and the list of what was trained: trainings are replaced by a note of it."""
    for name in ('config', 'other'):
        (tmp_path / f'{name}.py').write_text(
            f'name = {name!r}\nmodel = dict(init_cfg=dict(checkpoint=None))\n'
            'train_cfg = dict(max_epochs=9)\noptim_wrapper = dict(optimizer=dict(lr=0.1))\n'
        )
    path = tmp_path / 'sweep.py'
    path.write_text(
        SWEEP.format(
            config=str(tmp_path / 'config.py'),
            other=str(tmp_path / 'other.py'),
            folder=str(tmp_path / 'runs'),
        )
    )
    trained = []

    def answer(kind, folder, arguments):
        cfg = arguments['config']
        if kind == 'train':
            trained.append((folder.parent.name, folder.name, cfg))
            best = folder / f'best_x_epoch_{cfg.randomness.seed + 1}.pth'
            return dict(checkpoint=dict(path=str(best), sha256='p'))
        run = folder.parent
        if run != Path(arguments['checkpoint']).parent:
            noted = dict(cfg=cfg, checkpoint=Path(arguments['checkpoint']))
            trained.append((run.parent.name, run.name, noted))
            return result_of(55)
        return result_of(10 * (1 + cfg.randomness.seed))

    fake_engine(monkeypatch, answer)
    return path, trained


def test_runs_wait_for_the_checkpoint_they_start_from(sweep, tmp_path):
    path, trained = sweep
    result = run_sweep(str(path))
    order = [(name, seed) for name, seed, _ in trained]
    assert sorted(order) == [(n, f'seed-{s}') for n in ('student', 'teacher') for s in (0, 1)]
    for seed in (0, 1):
        configs = {name: cfg for name, at, cfg in trained if at == f'seed-{seed}'}
        names = [name for name, at in order if at == f'seed-{seed}']
        assert names == ['teacher', 'student']
        student, teacher = configs['student'], configs['teacher']
        best = tmp_path / f'runs/teacher/seed-{seed}/best_x_epoch_{seed + 1}.pth'
        assert student.model.init_cfg.checkpoint == str(best)
        assert student.name == 'other' and teacher.name == 'config'
        assert teacher.optim_wrapper.optimizer.lr == 0.5
        assert student.randomness.seed == seed and student.train_cfg.max_epochs == 1
    assert [(run['variant'], run['seed']) for run in result['runs']] == [
        ('student', 0), ('teacher', 0), ('student', 1), ('teacher', 1),
    ]  # fmt: skip
    assert json.loads((tmp_path / 'runs/sweep.json').read_text()) == result

    trained.clear()
    assert run_sweep(str(path))['runs'] == result['runs'] and not trained


def test_it_leaves_runs_to_the_process_that_has_them(sweep, tmp_path, monkeypatch):
    path, trained = sweep
    folder = tmp_path / 'runs'
    lock = exclusive(folder / '.locks' / 'teacher-seed-0')
    lock.__enter__()

    def other_process_finishes(seconds):
        assert {(name, seed) for name, seed, _ in trained} == {
            ('teacher', 'seed-1'), ('student', 'seed-1'),
        }  # fmt: skip
        # as it was begun with the settings of the run that we would have done
        run, known = folder / 'teacher/seed-0', folder / 'teacher/seed-1'
        settings = (known / 'settings.json').read_text().replace('"seed": 1', '"seed": 0')
        run.mkdir(parents=True)
        (run / 'settings.json').write_text(settings)
        checkpoint = dict(path=str(run / 'best_x_epoch_5.pth'), sha256='p')
        write_json(run / 'results.json', dict(checkpoint=checkpoint))
        lock.__exit__(None, None, None)

    monkeypatch.setattr(time, 'sleep', other_process_finishes)
    result = run_sweep(str(path))
    assert len(result['runs']) == 4
    assert ('teacher', 'seed-0') not in [(name, seed) for name, seed, _ in trained]
    (student,) = (cfg for name, seed, cfg in trained if (name, seed) == ('student', 'seed-0'))
    assert student.model.init_cfg.checkpoint.endswith('best_x_epoch_5.pth')


@pytest.mark.parametrize('wrong', ['nobody', 'student'])
def test_a_variant_that_needs_no_other_variant_is_named(sweep, wrong):
    path, _ = sweep
    path.write_text(path.read_text().replace('{best:teacher}', f'{{best:{wrong}}}'))
    with pytest.raises(UserError, match=f'variant student needs {wrong}, which is no other'):
        run_sweep(str(path))


def test_of_another_sweep_only_checkpoints_are_taken(sweep):
    path, _ = sweep
    path.write_text(path.read_text().replace('{best:teacher}', '{masks:other/teacher}'))
    with pytest.raises(UserError, match=r'variant student: only \{best:…\} may name a run of'):
        run_sweep(str(path))


def test_a_part_can_be_chosen_and_options_have_the_last_word(sweep):
    path, trained = sweep
    options = {'optim_wrapper.optimizer.lr': 0.25}
    result = run_sweep(str(path), seeds=[7], variants=['student'], options=options)
    assert [(run['variant'], run['seed']) for run in result['runs']] == [
        ('student', 7), ('teacher', 7),
    ]  # fmt: skip
    assert all(cfg.optim_wrapper.optimizer.lr == 0.25 for _, _, cfg in trained)
    assert result['options'] == options
    trained.clear()
    run_sweep(str(path), seeds=[8], variants=['teacher'])
    assert [name for name, _, _ in trained] == ['teacher']
    with pytest.raises(UserError, match='no variant nobody; there are student, teacher'):
        run_sweep(str(path), variants=['nobody'])


def test_a_variant_starts_from_a_finished_run_of_another_sweep(sweep, tmp_path):
    path, trained = sweep
    text = path.read_text().replace(
        "'model.init_cfg.checkpoint': '{best:teacher}'",
        "'model.init_cfg': dict(checkpoint='{best:warm/plain}')",
    )
    path.write_text(text.replace('[0, 1]', '[1]'))
    run = tmp_path / 'warm/plain/seed-1'
    with pytest.raises(UserError, match=r'student starts from .*warm/plain/seed-1, which is not'):
        run_sweep(str(path))
    best = str(run / 'best_x_epoch_3.pth')
    write_json(run / 'results.json', dict(checkpoint=dict(path=best, sha256='q')))
    run_sweep(str(path))
    (cfg,) = (cfg for name, _, cfg in trained if name == 'student')
    assert cfg.model.init_cfg.checkpoint == best


AGAIN = "    again={'trained_as': 'student', 'train_cfg.max_epochs': 7},\n"


def test_a_variant_may_be_another_that_is_tested_with_other_settings(sweep, tmp_path):
    path, trained = sweep
    path.write_text(path.read_text().replace('variants = dict(\n', f'variants = dict(\n{AGAIN}'))
    result = run_sweep(str(path), seeds=[1], variants=['again'])
    assert [name for name, _, _ in trained] == ['teacher', 'student', 'again']
    tested = trained[-1][2]
    folder = tmp_path / 'runs'
    assert tested['checkpoint'] == folder / 'student/seed-1/best_x_epoch_2.pth'
    assert tested['cfg'].name == 'other' and tested['cfg'].train_cfg.max_epochs == 7
    teacher = str(folder / 'teacher/seed-1/best_x_epoch_2.pth')
    assert tested['cfg'].model.init_cfg.checkpoint == teacher
    accuracy = {run['variant']: run['splits']['val']['label/accuracy'] for run in result['runs']}
    assert accuracy == dict(again=55, student=20, teacher=20)
    assert len({run['settings'] for run in result['runs']}) == 3

    path.write_text(path.read_text().replace("'trained_as': 'student'", "'trained_as': 'nobody'"))
    with pytest.raises(UserError, match='variant again needs nobody, which is no other variant'):
        run_sweep(str(path))
    path.write_text(path.read_text().replace('nobody', 'again2').replace(
        'variants = dict(\n', "variants = dict(\n    again2=dict(trained_as='student'),\n"
    ))  # fmt: skip
    with pytest.raises(UserError, match='again is trained as again2, which is not trained itself'):
        run_sweep(str(path))


def test_a_circle_of_needs_is_an_error_and_so_is_an_empty_sweep(sweep):
    path, _ = sweep
    text = path.read_text()
    path.write_text(text.replace("teacher={'", "teacher={'model.init_cfg.x': '{best:student}', '"))
    with pytest.raises(UserError, match='need each other in a circle'):
        run_sweep(str(path))
    path.write_text(text.replace('seeds = [0, 1]', 'seeds = []'))
    with pytest.raises(UserError, match='no seeds or no variants'):
        run_sweep(str(path))


def test_parts_of_a_sweep_join_to_the_whole(sweep):
    path, _ = sweep
    parts = [
        run_sweep(str(path), seeds=[1]),
        run_sweep(str(path), seeds=[0], variants=['teacher']),
        run_sweep(str(path), seeds=[0]),
    ]
    assert merge_results(parts) == run_sweep(str(path))
    assert merge_results(parts[:1]) == parts[0]


def test_parts_that_do_not_fit_are_refused(sweep):
    path, _ = sweep
    part = run_sweep(str(path))

    def refused(match, **changes):
        with pytest.raises(UserError, match=match):
            merge_results([part, {**part, **changes}])

    run = {**part['runs'][0], 'splits': dict(val={'label/accuracy': 0.5})}
    refused('student, seed 0: two runs with different results', runs=[run])
    refused('options differs', options={'train_cfg.max_epochs': 2})
    refused('sweep differs', sweep='another.py')
    other = {**part['environment'], 'packages': dict(torch='0.1')}
    refused('different packages: torch: .* -> 0.1', environment=other)


def test_known_runs_are_not_done_again(sweep, tmp_path):
    path, trained = sweep
    one = run_sweep(str(path), work_dir=str(tmp_path / 'one'), seeds=[0])
    write_json(tmp_path / 'one.json', one)
    trained.clear()
    known = [tmp_path / 'one.json']
    both = run_sweep(str(path), work_dir=str(tmp_path / 'two'), known=known)
    assert {(name, seed) for name, seed, _ in trained} == {
        ('teacher', 'seed-1'), ('student', 'seed-1'),
    }  # fmt: skip
    assert both['runs'][:2] == one['runs'] and len(both['runs']) == 4
    assert [run['seed'] for run in both['runs']] == [0, 0, 1, 1]
    assert len({run['settings'] for run in both['runs']}) == 4


def test_a_known_teacher_trains_again_for_its_checkpoint_but_keeps_its_numbers(sweep, tmp_path):
    path, trained = sweep
    teacher = run_sweep(str(path), seeds=[0], variants=['teacher'], work_dir=str(tmp_path / 'one'))
    teacher['runs'][0]['splits']['val']['label/accuracy'] = 3.25
    write_json(tmp_path / 'one.json', teacher)
    trained.clear()
    known = [tmp_path / 'one.json']
    result = run_sweep(str(path), work_dir=str(tmp_path / 'two'), seeds=[0], known=known)
    assert [name for name, _, _ in trained] == ['teacher', 'student']
    accuracy = {run['variant']: run['splits']['val']['label/accuracy'] for run in result['runs']}
    assert accuracy == dict(student=10, teacher=3.25)


@pytest.mark.parametrize(
    'old, new',
    [
        ("'train_cfg.max_epochs': 1", "'train_cfg.max_epochs': 2"),
        ("splits = ['val']", "splits = ['val', 'test']"),
        ("threshold_split = 'val'", 'threshold_split = None'),
        ("'optim_wrapper.optimizer.lr': 0.5", "'optim_wrapper.optimizer.lr': 0.4"),
    ],
)
def test_runs_with_other_settings_are_not_known_nor_those_that_start_from_them(
    sweep, tmp_path, old, new
):
    path, trained = sweep
    write_json(tmp_path / 'one.json', run_sweep(str(path), work_dir=str(tmp_path / 'one')))
    trained.clear()
    path.write_text(path.read_text().replace(old, new))
    run_sweep(str(path), work_dir=str(tmp_path / 'two'), known=[tmp_path / 'one.json'])
    assert len(trained) == 4


def test_runs_on_other_data_are_not_known(sweep, tmp_path):
    path, trained = sweep
    table = tmp_path / 'data/labels.csv'
    table.parent.mkdir()
    table.write_text('image,split,smoke\n')
    for name in ('config', 'other'):
        with open(tmp_path / f'{name}.py', 'a') as file:
            file.write(f'data_root = {str(table.parent)!r}\n')
    write_json(tmp_path / 'one.json', run_sweep(str(path), work_dir=str(tmp_path / 'one')))
    for end, count in (('', 0), ('a.jpg,val,1\n', 4)):
        table.write_text(table.read_text() + end)
        trained.clear()
        folder = tmp_path / f'with{count}'
        run_sweep(str(path), work_dir=str(folder), known=[tmp_path / 'one.json'])
        assert len(trained) == count


def test_a_known_run_says_with_what_it_was_made(sweep, tmp_path):
    path, _ = sweep
    one = run_sweep(str(path), work_dir=str(tmp_path / 'one'), seeds=[0])
    one['environment']['packages']['torch'] = '0.1'
    write_json(tmp_path / 'one.json', one)
    result = run_sweep(str(path), work_dir=str(tmp_path / 'two'), known=[tmp_path / 'one.json'])
    made_with = [run.get('environment', result['environment']) for run in result['runs']]
    versions = [environment['packages']['torch'] for environment in made_with]
    assert versions[:2] == ['0.1'] * 2 and '0.1' not in versions[2:]
    write_json(tmp_path / 'two.json', result)
    again = run_sweep(str(path), work_dir=str(tmp_path / 'six'), known=[tmp_path / 'two.json'])
    assert again['runs'] == result['runs']


@pytest.mark.parametrize('content', [[], 3, dict(pipeline='a.py')])
def test_only_results_of_sweeps_are_known_or_merged(sweep, tmp_path, load_tool, run_main, content):
    path, _ = sweep
    other = tmp_path / 'one.json'
    write_json(other, content)
    message = 'one.json is no result of tools/sweep.py'
    with pytest.raises(UserError, match=message):
        run_sweep(str(path), known=[other])
    merge = load_tool('analysis/merge_results.py').main
    code, _, error = run_main(merge, other, '--out', tmp_path / 'all.json')
    assert code == 2 and message in error


def test_a_file_of_another_kind_is_named(tmp_path):
    with pytest.raises(UserError, match=r'config\.py is no sweep: it lacks config, variants, seed'):
        (tmp_path / 'config.py').write_text("splits = ['val']\n")
        run_sweep(str(tmp_path / 'config.py'))


def test_a_part_of_a_sweep_keeps_what_its_file_knows(sweep, tmp_path):
    path, trained = sweep
    out = tmp_path / 'all.json'
    whole = run_sweep(str(path), out=str(out))
    trained.clear()
    run_sweep(str(path), out=str(out), known=[str(out)], seeds=[1], variants=['teacher'])
    assert json.loads(out.read_text()) == whole and not trained
    run_sweep(str(path), out=str(out), known=[str(out)], seeds=[2], variants=['teacher'])
    assert json.loads(out.read_text())['runs'][:4] == whole['runs']
    assert [(name, at) for name, at, _ in trained] == [('teacher', 'seed-2')]


def test_runs_that_do_not_count_any_more_are_not_overwritten(sweep, tmp_path):
    path, trained = sweep
    out = tmp_path / 'all.json'
    old = run_sweep(str(path), out=str(out))
    for run in old['runs'][1:]:
        del run['settings']  # as in files of earlier versions
    write_json(out, old)
    trained.clear()
    with pytest.raises(
        UserError, match=r'3 runs of .*all.json have other settings .* another file'
    ):
        run_sweep(str(path), out=str(out), known=[str(out)])
    assert json.loads(out.read_text()) == old and not trained


def test_a_run_keeps_the_environment_it_was_tested_in(sweep, tmp_path):
    path, _ = sweep
    result = run_sweep(str(path), work_dir=str(tmp_path / 'one'), seeds=[0])
    results = tmp_path / 'one/teacher/seed-0/test/results.json'
    tested = json.loads(results.read_text())
    tested['environment']['cpu_instructions'] = 'slide rule'
    write_json(results, tested)
    result = run_sweep(str(path), work_dir=str(tmp_path / 'one'), seeds=[0])
    student, teacher = result['runs']
    assert teacher['environment']['cpu_instructions'] == 'slide rule'
    assert 'environment' not in student and result['environment'] == environment()


def test_parts_of_several_machines_keep_their_environments(sweep, tmp_path):
    path, _ = sweep
    parts = [run_sweep(str(path), seeds=[seed]) for seed in (0, 1)]
    parts[1]['environment'] = {**parts[1]['environment'], 'cpus': 99}
    merged = merge_results(parts)
    cpus = [run.get('environment', merged['environment'])['cpus'] for run in merged['runs']]
    assert cpus[2:] == [99, 99] and 99 not in cpus[:2]
    assert merge_results([merged, *parts]) == merged  # the same runs, wherever they are from


def test_what_is_said_of_merged_runs_is_what_the_sweep_says_today(sweep):
    path, _ = sweep
    part = run_sweep(str(path))
    text = path.read_text() + "baseline = 'teacher'\n"
    path.write_text(text.replace('    student={', '    other={'))
    merged = merge_results([part])
    assert merged['baseline'] == 'teacher'
    assert {run['variant'] for run in merged['runs']} == {'teacher'}


def test_how_masks_are_made_is_part_of_what_a_run_is(sweep):
    path, _ = sweep
    masked = "variants = dict(\n    masked={'model.init_cfg.masks': '{masks:teacher}'},"
    text = path.read_text().replace('variants = dict(', masked)

    def settings(more):
        path.write_text(text + more)
        found = read_sweep(str(path))
        found.last_word = {}
        return all_settings(found, needs_of(found.variants, [0]))

    plain, refined = settings(''), settings("labels = dict(refine=['crf:translucent'])\n")
    assert plain['masked', 0] != refined['masked', 0]
    assert plain['teacher', 0] == refined['teacher', 0]


def test_repeating_images_is_part_of_what_a_run_is_where_there_are_few(tiny_dataset):
    root = str(tiny_dataset(splits=dict(train=6, val=4)))

    def settings(**more):
        dataset = dict(type='mmsmoke.WeakSegDataset', data_root=root) | dict(split='train') | more
        cfg = Config(dict(train_dataloader=dict(dataset=dataset)))
        return settings_hash(cfg, ['val'], 'val', [])

    assert settings(at_least=6) == settings(at_least=2) == settings()
    assert len({settings(), settings(at_least=7), settings(at_least=13)}) == 3
    assert settings(at_least=5, num_images=5) != settings(num_images=5)
    assert settings(split='val', at_least=4) == settings(split='val')
    of_no_split = Config(dict(train_dataloader=dict(dataset=dict(data_root=root, at_least=9))))
    assert settings_hash(of_no_split, ['val'], 'val', [])
