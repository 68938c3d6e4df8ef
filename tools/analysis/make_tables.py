"""Renew the tables and charts in documents from the result files that they name."""

import argparse
import sys
from pathlib import Path

from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.visualization import charted


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('documents', nargs='*', help='files (README.md and docs/*.md)')
    parser.add_argument(
        '--check', action='store_true', help='change nothing; exit 1 if out of date'
    )
    args = parser.parse_args()

    from mmsmoke.reports.tables import charts_of, fill_tables

    documents = map(Path, args.documents or ['README.md', *map(str, Path('docs').rglob('*.md'))])
    outdated = False
    for document in documents:
        renewed = {document: fill_tables(document.read_text(encoding='utf-8'), Path())}
        for path, text in (renewed | charts_of(document, Path())).items():
            found = path.read_text(encoding='utf-8') if path.is_file() else ''
            same_numbers = path.suffix == '.svg' and charted(found) == charted(text)
            if found == text or (args.check and same_numbers):
                continue
            outdated = True
            print(f'{path}: {"out of date" if args.check else "renewed"}')
            if not args.check:
                path.write_text(text, encoding='utf-8')
    sys.exit(1 if args.check and outdated else 0)


if __name__ == '__main__':
    main()
