"""Run the commands of README.md and docs/, and list those that cannot be run, with the reason."""

import argparse
from pathlib import Path

from mmsmoke.utils.cli import user_errors_as_text


@user_errors_as_text
def main() -> None:
    parser = argparse.ArgumentParser(
        description=f'{__doc__} They write into this folder and install into this environment: '
        'use a fresh clone with an environment of its own.'
    )
    parser.add_argument('pages', nargs='*', help='only these pages')
    parser.add_argument(
        '--limit', type=float, default=60, metavar='SECONDS', help='for a command (%(default)s)'
    )
    either = parser.add_mutually_exclusive_group()
    either.add_argument('--list', action='store_true', help='run nothing')
    either.add_argument('--out', help='JSON file for the outcomes')
    args = parser.parse_args()

    from mmsmoke.reports.commands import commands_of, pages_of, run_command
    from mmsmoke.utils import UserError, write_json

    here, rows = Path.cwd(), []
    for page in pages_of(here, args.pages):
        for command in commands_of(page):
            if args.list:
                outcome = f'not run: {command.why_not}' if command.why_not else 'can be run'
            else:
                rows.append(run_command(command, args.limit, here))
                outcome = rows[-1]['outcome']
                if args.out:
                    write_json(args.out, rows)
            print(f'{command.page}:{command.line}: {command.text}\n    {outcome}', flush=True)
    if failed := sum(row['outcome'].startswith('failed') for row in rows):
        raise UserError(f'{failed} commands failed')


if __name__ == '__main__':
    main()
