"""Run a tool by its command: ``mmsmoke train CONFIG`` is ``python tools/train.py CONFIG``."""

import shutil
import sys
import textwrap
from itertools import takewhile
from pathlib import Path

from mmsmoke import __version__
from mmsmoke.commands import GROUPS, find_tools, purpose, run_tool, split_command
from mmsmoke.utils.cli import user_errors_as_text

HELP = {'-h', '--help'}


@user_errors_as_text
def main() -> None:
    words, tools = sys.argv[1:], find_tools()
    group = ' '.join(takewhile(lambda word: word not in HELP, words))
    if group in GROUPS.values():
        print(overview(group, tools))
        sys.exit(0 if HELP & {*words} else 2)
    if words == ['--version']:
        print(f'mmsmoke {__version__}')
    elif words[0] == 'completion':
        from mmsmoke.completion import complete

        print(complete(words[1:]))
    else:
        command, arguments = split_command(words, tools)
        run_tool(command, tools[command], arguments)


def overview(group: str, tools: dict[str, Path]) -> str:
    """Return help: all commands of a group, or all that are in none, and the names of groups."""
    tools = dict(sorted(tools.items()))
    shown = {name: purpose(tool) for name, tool in tools.items() if in_group(name) == group}
    if not group:
        for other in filter(None, GROUPS.values()):
            names = [name.split()[-1] for name in tools if in_group(name) == other]
            shown[f'{other} NAME'] = f'NAME is {", ".join(names)}.'
        shown['completion SHELL'] = 'Print what makes bash, zsh or fish complete these commands.'
    width = max(map(len, shown)) + 4
    lines = [
        textwrap.fill(
            text,
            shutil.get_terminal_size().columns,
            initial_indent=f'  {name}'.ljust(width),
            subsequent_indent=' ' * width,
        )
        for name, text in shown.items()
    ]
    usage = f'usage: mmsmoke {group} NAME …' if group else 'usage: mmsmoke [--version] COMMAND …'
    return '\n'.join([usage, '', *lines, '', 'With --help, each of them tells what it takes.'])


def in_group(command: str) -> str:
    """Return the group of a command, or nothing."""
    return command.rpartition(' ')[0]


if __name__ == '__main__':
    main()
