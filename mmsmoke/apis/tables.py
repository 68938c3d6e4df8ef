"""Tables in documents, generated from result files; none is typed."""

import json
import re
from pathlib import Path

from mmsmoke.visualization import markdown_table

from .refinement import refinement_table
from .report import summary_rows
from .sweep import sweep_table

_BLOCK = re.compile(r'(<!-- table (?P<file>\S+) -->\n).*?(<!-- end -->)', re.DOTALL)


def fill_tables(text: str, root: Path) -> str:
    """Renews what stands between ``<!-- table FILE.json -->`` and ``<!-- end -->``.

    Args:
        root: folder from which the result files are named.
    """

    def renewed(match: re.Match) -> str:
        return f'{match[1]}{table_of(root / match["file"])}\n{match[3]}'

    return _BLOCK.sub(renewed, text)


def table_of(path: Path) -> str:
    """The table of a result file of a tool: run_pipeline, sweep, test, a benchmark …

    A file of several tables gives them below each other.
    """
    result = json.loads(path.read_text(encoding='utf-8'))
    if 'pipeline' in result:
        return markdown_table(*summary_rows(result))
    if 'runs' in result:
        return sweep_table(result)
    if 'refinement' in result:
        return refinement_table(result)
    if 'tables' in result:
        return '\n\n'.join(_table(rows) for rows in result['tables'])
    if 'protocol' in result:
        return _table([_test_row(name, numbers) for name, numbers in result['splits'].items()])
    return _table(result if isinstance(result, list) else [result])


def _table(rows: list[dict]) -> str:
    return markdown_table(list(rows[0]), [list(row.values()) for row in rows])


def _test_row(split: str, numbers: dict) -> dict:
    return dict(split=split) | {name: round(value, 2) for name, value in numbers.items()}
