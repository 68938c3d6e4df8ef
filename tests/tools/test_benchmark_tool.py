import json
from pathlib import Path

import pytest

from mmsmoke.experiments import benchmark as module
from mmsmoke.experiments.run_records import read_known

ROOT = Path(__file__).parents[2]


@pytest.fixture
def done(monkeypatch, tmp_path):
    """Collect what sweeps and pipelines are asked for, in a folder with all that they read."""
    for name in ('docs', 'configs'):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    done = []

    def run_sweep(file, work_dir, out, seeds, variants, known, **_):
        read_known(known)
        done.append((Path(file).stem, work_dir, out, seeds, variants, len(known)))

    def run_pipeline(config, work_dir, options, *_):
        done.append((Path(config).stem, work_dir, options))
        return dict(made_by='the pipeline', chains=[dict(seed=seed) for seed in options['seeds']])

    monkeypatch.setattr(module, 'run_sweep', run_sweep)
    monkeypatch.setattr(module, 'run_pipeline', run_pipeline)
    return done


def test_a_row_is_made_by_the_plans_that_have_its_parts(done, load_tool, run_main):
    code, out, _ = run_main(load_tool('benchmark.py').main, 'smokestack-126', 'vit')
    files = [f'docs/results/packaged_cure{end}.json' for end in ('', '_segmentors')]
    assert code == 0 and out == f'numbers   {" ".join(files)}\n'
    assert done == [
        ('packaged_cure', None, files[0], None, ['vit'], 2),
        ('packaged_cure_segmentors', None, files[1], None, ['segmentor of vit'], 2),
    ]


def test_sweeps_beside_a_pipeline_know_runs_of_sweeps_alone(done, load_tool, run_main):
    code, _, said = run_main(load_tool('benchmark.py').main, 'smoke5k-168', 'vit')
    assert code == 0, said
    assert done == [
        ('packaged_smoke5k', None, 'docs/results/packaged_smoke5k.json', None, ['vit'], 1)
    ]


def test_all_runs_of_a_row_may_be_done_again_in_a_folder(done, load_tool, run_main):
    main, arguments = load_tool('benchmark.py').main, ('smokestack-126', 'vit', '--fresh', 'new')
    code, out, _ = run_main(main, *arguments)
    files = [f'new/packaged_cure{end}.json' for end in ('', '_segmentors')]
    assert code == 0 and out == f'numbers   {" ".join(files)}\n'
    folder = 'new/packaged_smokestack'  # its own name: sweeps that share their folder still do
    assert done == [
        ('packaged_cure', folder, files[0], None, ['vit'], 0),
        ('packaged_cure_segmentors', folder, files[1], None, ['segmentor of vit'], 0),
    ]
    Path('new').mkdir()
    (Path('new') / 'packaged_cure.json').symlink_to(ROOT / 'docs/results/packaged_cure.json')
    assert run_main(main, *arguments)[0] == 0
    assert [known for *_, known in done[2:]] == [1, 1]


def test_a_pipeline_keeps_the_seeds_of_its_result_and_runs_the_others(done, load_tool, run_main):
    main, arguments = load_tool('benchmark.py').main, ('smoke5k-168', 'pipeline', '--fresh', 'new')
    code, out, _ = run_main(main, *arguments, '--seeds', '2')
    file = 'new/pipeline_smoke5k-pack-168.json'
    assert (code, out) == (0, f'numbers   {file}\n')
    assert run_main(main, *arguments)[0] == 0
    assert done == [
        ('smoke5k-pack-168', 'new/smoke5k-pack-168', dict(seeds=[2])),
        ('smoke5k-pack-168', 'new/smoke5k-pack-168', dict(seeds=[0, 1])),
    ]
    result = json.loads(Path(file).read_text())
    assert result == dict(made_by='the pipeline', chains=[dict(seed=seed) for seed in range(3)])
    assert run_main(main, *arguments)[0] == 0 and len(done) == 2


@pytest.mark.parametrize(
    'arguments, error',
    [
        (('voc', 'vit'), "there is no benchmark 'voc', but smokestack-126, "),
        (('smokestack-64', 'lite0'), "smokestack-64 has no row 'lite0', but everything, "),
        (('smokestack-64', 'everything'), 'trivial_baselines.py makes docs/results/trivial_'),
        (('smokestack-64',), 'name a benchmark and a row, or say --list or --submit FILE'),
        (('--list', 'voc'), "there is no benchmark 'voc'"),
        (('--submit', 'nothing.json'), 'nothing.json not found'),
    ],
)
def test_mistakes_are_one_line(done, load_tool, run_main, arguments, error):
    code, _, said = run_main(load_tool('benchmark.py').main, *arguments)
    assert code == 2 and error in said and said.count('\n') == 1
    assert not done


def test_rows_are_listed(done, load_tool, run_main):
    code, out, _ = run_main(load_tool('benchmark.py').main, '--list', 'smokestack-64')
    assert code == 0 and 'from scratch' in out and '| global_cosine' in out
    assert 'smoke5k' not in out


def test_a_row_of_somebody_else_is_shown_in_its_table(done, load_tool, run_main, tmp_path):
    text = (ROOT / 'docs/benchmark.md').read_text(encoding='utf-8')
    file = tmp_path / 'mine.json'
    file.write_text(text.split('```json\n')[1].split('```')[0])
    main = load_tool('benchmark.py').main
    code, out, _ = run_main(main, '--submit', file)
    assert code == 0 and '[My method](https://example.org/my-method)' in out
    assert 'is a row of smokestack-126; it belongs into docs/results/submissions/' in out
    file.write_text(file.read_text().replace('31.5', '315').replace('"licence"', '"license"'))
    code, _, said = run_main(main, '--submit', file)
    assert code == 2
    assert said.endswith('says nothing about licence; has license, which no row has\n')


def test_without_a_checkout_it_says_so(tmp_path, load_tool, run_main, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, complaint = run_main(load_tool('benchmark.py').main, '--list')
    assert code == 2 and 'run in a checkout' in complaint
