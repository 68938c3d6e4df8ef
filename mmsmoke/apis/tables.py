"""Tables in documents, generated from result files; none is typed."""

import json
import re
from pathlib import Path

from mmsmoke.visualization import markdown_table

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
    """The table of a result file of tools/run_pipeline.py, sweep.py or a benchmark."""
    result = json.loads(path.read_text(encoding='utf-8'))
    if 'pipeline' in result:
        return markdown_table(*summary_rows(result))
    if 'runs' in result:
        return sweep_table(result)
    rows = result if isinstance(result, list) else [result]
    return markdown_table(list(rows[0]), [list(row.values()) for row in rows])
