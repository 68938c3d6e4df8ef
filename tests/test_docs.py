import json
import re
from pathlib import Path

import pytest

from mmsmoke.reports.sweep_tables import sweep_chart
from mmsmoke.reports.tables import charts_of, fill_tables, table_of
from mmsmoke.utils import UserError
from mmsmoke.visualization import charted

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_tables_are_what_the_result_files_say(document):
    text = document.read_text(encoding='utf-8')
    assert fill_tables(text, ROOT) == text, 'run python tools/analysis/make_tables.py'


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_charts_are_what_the_result_files_say(document):
    for path, chart in charts_of(document, ROOT).items():
        drawn = charted(path.read_text(encoding='utf-8'))
        assert drawn == charted(chart), 'run python tools/analysis/make_tables.py'


@pytest.mark.parametrize(
    'document',
    [*DOCUMENTS, ROOT / 'CHANGELOG.md', ROOT / 'CONTRIBUTING.md'],
    ids=lambda path: path.name,
)
def test_files_that_documents_name_exist(document):
    text = document.read_text(encoding='utf-8')
    links = re.findall(r'\]\((?!http|#)([^)#]+)', text)
    named = re.findall(r'(?<![\w/.-])((?:configs|tools|docs)/[\w./-]+\.(?:py|sh|json|md))', text)
    missing = [link for link in links if not (document.parent / link).exists()]
    missing += [name for name in named if 'NAME' not in name and not (ROOT / name).exists()]
    to_come = re.findall(r'--out (docs/results/\S+\.json)', text)  # what is not measured yet
    assert not set(missing) - set(to_come)


def test_a_table_is_renewed_from_its_file(tmp_path):
    (tmp_path / 'r.json').write_text('{"size": 160, "rate": 99.5}')
    text = 'before\n<!-- table r.json -->\nold\n<!-- end -->\nafter\n'
    renewed = fill_tables(text, tmp_path)
    assert renewed.startswith('before\n<!-- table r.json -->\n| size | rate |\n')
    assert renewed.endswith('| 160 | 99.5 |\n<!-- end -->\nafter\n') or '|  160 | 99.5 |' in renewed
    assert 'old' not in renewed
    assert fill_tables(renewed, tmp_path) == renewed


def test_a_table_waits_for_its_file(tmp_path):
    text = (
        '<!-- table r.json -->\n<!-- end -->\n<!-- part r.json a=the one; IoU -->\n<!-- end -->\n'
    )
    waiting = fill_tables(text, tmp_path)
    assert waiting.splitlines()[1::3] == ['**Not measured yet.**'] * 2
    assert fill_tables(waiting, tmp_path) == waiting
    runs = [dict(variant='a', seed=0, splits=dict(val=dict(iou=4.0)))]
    result = dict(columns=[['IoU', 'val', 'iou']], runs=runs)
    (tmp_path / 'r.json').write_text(json.dumps(result))
    filled = fill_tables(waiting, tmp_path)
    assert 'Not measured' not in filled
    assert '| a ' in filled and '| the one ' in filled and filled.count('4.0') == 2


def test_a_part_of_a_table_has_titles_of_its_own(tmp_path):
    runs = [
        dict(variant=name, seed=seed, splits=dict(val={'iou': iou, 'alarms': 3.0}))
        for name, ious in (('m', (40.0, 42.0)), ('n', (10.0, 12.0)), ('o', (1.0, 1.0)))
        for seed, iou in enumerate(ious)
    ]
    columns = [['alarms', 'val', 'alarms'], ['IoU', 'val', 'iou']]
    (tmp_path / 'a.json').write_text(json.dumps(dict(columns=columns, runs=runs, baseline='o')))
    text = '<!-- part a.json n=plain, m=the best; IoU -->\nold\n<!-- end -->\n'
    renewed = fill_tables(text, tmp_path)
    rows = [re.split(r'\s*\|\s*', line)[1:-1] for line in renewed.splitlines()]
    assert rows[1] == ['variant', 'seeds', 'IoU'] and renewed.endswith('|\n<!-- end -->\n')
    assert rows[3:5] == [['plain', '2', '11.0 ± 1.4'], ['the best', '2', '41.0 ± 1.4']]
    assert fill_tables(renewed, tmp_path) == renewed
    with pytest.raises(UserError, match="no column 'size'"):
        fill_tables(text.replace('IoU', 'size'), tmp_path)


def test_claims_of_several_files_are_compared(tmp_path):
    for name, iou in (('a', 3.0), ('b', -1.0)):
        runs = [
            dict(variant=v, seed=0, splits=dict(val=dict(iou=x))) for v, x in (('m', iou), ('n', 0))
        ]
        claims = [dict(claim='m beats n', more='m', less='n', column='IoU')]
        result = dict(columns=[['IoU', 'val', 'iou']], runs=runs, claims=claims)
        (tmp_path / f'{name}.json').write_text(json.dumps(result))
    text = '<!-- claims first=a.json,b.json; the second=b.json -->\n<!-- end -->\n'
    rows = [re.split(r'\s*\|\s*', line)[1:-1] for line in fill_tables(text, tmp_path).splitlines()]
    assert rows[1] == ['claim', 'of', 'first', 'the second']
    assert rows[3][2:] == ['too few seeds: 3.0, 1 seed', 'too few seeds: -1.0, 1 seed']


def test_tables_of_several_kinds_of_files(tmp_path):
    path = tmp_path / 'r.json'
    path.write_text('{"tables": [[{"a": 1}], [{"b": 2}]]}')
    tables = table_of(path).split('\n\n')
    assert [table.splitlines()[0] for table in tables] == ['|  a |', '|  b |']
    path.write_text('{"protocol": {}, "splits": {"val": {"x": 1.234}, "test": {"x": 2}}}')
    rows = [re.split(r'\s*\|\s*', line)[1:-1] for line in table_of(path).splitlines()]
    assert rows[0] == ['split', 'x'] and rows[2:] == [['val', '1.23'], ['test', '2']]


def test_a_chart_is_named_in_a_comment_above_its_picture(tmp_path):
    runs = [dict(variant='a', seed=0, splits=dict(val=dict(iou=3.0)))]
    curves = dict(x='P', lines=dict(net={'0.1': 'a'}))
    result = dict(columns=[['IoU, val', 'val', 'iou']], runs=runs, curves=curves)
    (tmp_path / 'r.json').write_text(json.dumps(result))
    document = tmp_path / 'docs' / 'd.md'
    document.parent.mkdir()
    document.write_text('<!-- chart r.json IoU, val -->\n![what it shows](images/iou.svg)\n')
    ((path, chart),) = charts_of(document, tmp_path).items()
    assert path == tmp_path / 'docs/images/iou.svg'
    assert chart == sweep_chart(result, 'IoU, val')


def test_a_chart_is_out_of_date_if_its_numbers_are(tmp_path, load_tool, run_main, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tool = load_tool('analysis/make_tables.py').main
    result = dict(
        columns=[['IoU', 'val', 'iou']],
        runs=[dict(variant='a', seed=0, splits=dict(val=dict(iou=3.0)))],
        curves=dict(x='P', lines=dict(net={'0.1': 'a'})),
    )
    Path('r.json').write_text(json.dumps(result))
    Path('d.md').write_text('<!-- chart r.json IoU -->\n![it](iou.svg)\n')
    assert run_main(tool, 'd.md', '--check')[:2] == (1, 'iou.svg: out of date\n')
    assert not Path('iou.svg').exists()
    assert run_main(tool, 'd.md')[:2] == (0, 'iou.svg: renewed\n')
    drawn = Path('iou.svg').read_text()
    Path('iou.svg').write_text(drawn.replace('y="', 'y="1'))  # as another matplotlib might
    assert run_main(tool, 'd.md', '--check')[:2] == (0, '')
    assert run_main(tool, 'd.md')[:2] == (0, 'iou.svg: renewed\n')
    assert Path('iou.svg').read_text() == drawn
    result['runs'][0]['splits']['val']['iou'] = 3.1
    Path('r.json').write_text(json.dumps(result))
    assert run_main(tool, 'd.md', '--check')[:2] == (1, 'iou.svg: out of date\n')
