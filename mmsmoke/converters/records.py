import json
from collections.abc import Sequence
from pathlib import Path

from mmsmoke.utils import DataError, UserError


def read_records(path: Path, keys: Sequence[str], fetch: str) -> list[dict]:
    """A JSON list of objects, or one under the key ``data``, each of which has these keys.

    Args:
        fetch: where to get the file.
    """
    if not path.is_file():
        raise UserError(f'{path} not found. {fetch}')
    try:
        content = json.loads(path.read_text(encoding='utf-8-sig'))
    except ValueError as error:
        raise DataError(f'{path} is not JSON: {error}') from error
    records = content.get('data') if isinstance(content, dict) else content
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise DataError(f'{path} is not a list of records. {fetch}')
    for number, one in enumerate(records, 1):
        for key in keys:
            if key not in one:
                raise DataError(f'{path}: record {number} has no {key!r}')
    return records
