"""Fill the tables and charts in documents from result files; none is typed or drawn."""

import re
from pathlib import Path

from mmsmoke.experiments.comparison import as_sweep, refinement_table
from mmsmoke.utils import read_json
from mmsmoke.visualization import markdown_table, rows_table

from .benchmark import board_block, columns_table, read_benchmark
from .submissions import read_submissions
from .summary import summary_rows
from .sweep_tables import shared_claims_table, sweep_chart, sweep_part, sweep_tables

NOT_YET = '**Not measured yet.**'
_CHART = re.compile(
    r'<!-- chart (?P<file>\S+) (?P<column>.+?) -->\n!\[[^]]*\]\((?P<picture>[^)]+)\)'
)
_BLOCK = re.compile(r'(<!-- table (?P<file>\S+) -->\n).*?(<!-- end -->)', re.DOTALL)
_PART = re.compile(
    r'(<!-- part (?P<file>\S+) (?P<rows>.+?); (?P<columns>.+?) -->\n).*?(?P<end><!-- end -->)',
    re.DOTALL,
)
_BOARD = re.compile(r'(<!-- benchmark (?P<board>\S+) -->\n).*?(<!-- end -->)', re.DOTALL)
_COLUMNS = 'columns'
"""Asks, in the place of a board, for what the columns of all boards mean."""
_CLAIMS = re.compile(r'(<!-- claims (?P<files>.+?) -->\n).*?(<!-- end -->)', re.DOTALL)


def fill_tables(text: str, root: Path) -> str:
    """Renew what stands between ``<!-- table FILE.json -->`` and ``<!-- end -->``.

    After ``<!-- part FILE.json VARIANT=TITLE, VARIANT=TITLE; COLUMN, COLUMN -->`` it is a part of
    the table of a sweep, after ``<!-- claims TITLE=FILE.json,FILE.json; TITLE=FILE.json -->`` what
    became of the claims of several results, after ``<!-- benchmark BOARD -->`` a table of
    docs/benchmark.json. In the place of the table of a file that does not exist it says that.

    Args:
        root: folder from which the result files are named.
    """

    def renewed(match: re.Match) -> str:
        file = root / match['file']
        return f'{match[1]}{table_of(file) if file.is_file() else NOT_YET}\n{match[3]}'

    def chosen(match: re.Match) -> str:
        file, part = root / match['file'], NOT_YET
        if file.is_file():
            titles = dict(one.split('=', 1) for one in match['rows'].split(', '))
            part = sweep_part(read_json(file), titles, match['columns'].split(', '))
        return f'{match[1]}{part}\n{match["end"]}'

    def compared(match: re.Match) -> str:
        files = dict(one.strip().rsplit('=', 1) for one in match['files'].split(';'))
        results = {
            title: [as_sweep(read_json(root / name)) for name in names.split(',')]
            for title, names in files.items()
        }
        return f'{match[1]}{shared_claims_table(results)}\n{match[3]}'

    def of_benchmark(match: re.Match) -> str:
        benchmark, name = read_benchmark(root), match['board']
        if name == _COLUMNS:
            return f'{match[1]}{columns_table(benchmark)}\n{match[3]}'
        submitted = read_submissions(benchmark, root)
        return f'{match[1]}{board_block(benchmark, name, submitted, root)}\n{match[3]}'

    text = _PART.sub(chosen, _BLOCK.sub(renewed, text))
    return _BOARD.sub(of_benchmark, _CLAIMS.sub(compared, text))


def charts_of(document: Path, root: Path) -> dict[Path, str]:
    """Draw the pictures below each ``<!-- chart FILE.json COLUMN -->`` of a document, as SVG."""
    return {
        document.parent / match['picture']: sweep_chart(
            read_json(root / match['file']), match['column']
        )
        for match in _CHART.finditer(document.read_text(encoding='utf-8'))
    }


def table_of(path: Path) -> str:
    """Return the table of a result file of a tool: run_pipeline, sweep, test, a benchmark …

    A file of several tables gives them below each other.
    """
    result = read_json(path)
    if 'pipeline' in result:
        return markdown_table(*summary_rows(result))
    if 'runs' in result:
        return sweep_tables(result)
    if 'refinement' in result:
        return refinement_table(result)
    if 'tables' in result:
        return '\n\n'.join(rows_table(rows) for rows in result['tables'])
    if 'protocol' in result:
        return rows_table([_test_row(name, numbers) for name, numbers in result['splits'].items()])
    return rows_table(result if isinstance(result, list) else [result])


def _test_row(split: str, numbers: dict) -> dict:
    return dict(split=split) | {name: round(value, 2) for name, value in numbers.items()}
