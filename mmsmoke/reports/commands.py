"""Find the shell commands of documents, run them, and say which cannot be run and why."""

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

from mmsmoke.utils import UserError

YOURS = (
    'data/mine', '/data', 'photos', 'pictures', 'panorama.jpg', 'morning.mp4', 'best.pth', 'two.py',
    'student.pth', 'segmentor.pth', 'cameras.json', 'zones.json', 'polygons.json',
    'annotations.xml',
)  # fmt: skip
"""Names by which documents call what only their reader has."""
_BLOCK = re.compile(
    r'(?:<!-- not run: (?P<why>[^>]+?) -->\n+)?```bash\n(?P<code>.*?)```', re.DOTALL
)
_SETTING = re.compile(r'((?:export )?[A-Za-z_]\w*=(?:"[^"]*"|\S*))(?:\s+#.*)?$')
_COMMENT = re.compile(r'(?:^|\s)#.*', re.MULTILINE)
_STANDS_FOR = re.compile(r'(?<![\w./$={-])([A-Z][A-Z_]{2,})(?![\w=])|(…|\[)')


@dataclass(frozen=True)
class Command:
    """Hold a shell command of a document.

    Args:
        settings: the shell variables that the page sets before it, as ``D=data/mine``.
        why_not: why it cannot be run as it stands there; None if it can.
    """

    page: str
    line: int
    text: str
    settings: tuple[str, ...]
    why_not: str | None

    @property
    def words(self) -> list[str]:
        """Return the words that the shell makes of it, without settings before the command."""
        words = shlex.split(_filled(self.text, self.settings), comments=True)
        return list(dropwhile(_SETTING.match, words))


def commands_of(page: Path) -> list[Command]:
    """Return the commands in the ``bash`` blocks of a page, in its order.

    A block below ``<!-- not run: REASON -->`` is not for running. Neither is a command with a word
    that stands for something else, such as CHECKPOINT.
    """
    text, settings, commands = page.read_text(encoding='utf-8'), [], []
    for block in _BLOCK.finditer(text):
        line = text.count('\n', 0, block.start('code')) + 1
        for row in _rows(block['code']):
            command = re.sub(r'\s*\\\n\s*', ' ', row).strip()
            if setting := _SETTING.match(command):
                settings.append(setting[1])
            elif command and not command.startswith('#'):
                why_not = block['why'] or _stands_for(_filled(command, settings))
                commands.append(Command(page.name, line, command, tuple(settings), why_not))
            line += row.count('\n') + 1
    return commands


def _rows(code: str) -> Iterator[str]:
    """Yield each command of a block, over as many lines as it has; a loop is one command."""
    row = ''
    for line in code.splitlines():
        row += f'\n{line}' if row else line
        bare = _COMMENT.sub('', row)
        is_open = len(re.findall(r'\bdo\b', bare)) > len(re.findall(r'\bdone\b', bare))
        if not (is_open or line.endswith('\\')):
            yield row
            row = ''
    if row:  # has no end; whoever runs it says so
        yield row


def _filled(command: str, settings: Sequence[str]) -> str:
    for setting in reversed(settings):
        name, value = setting.removeprefix('export ').split('=', 1)
        filling = value.strip('"').replace('\\', r'\\')
        command = re.sub(rf'\$(?:{name}\b|\{{{name}\}})', filling, command)
    return command


def _stands_for(command: str) -> str | None:
    bare = _COMMENT.sub('', command)
    found = {match[1] or match[2] for match in _STANDS_FOR.finditer(bare)}
    found |= {name for name in YOURS if re.search(rf'(?<![\w/]){re.escape(name)}(?![\w-])', bare)}
    return f'{", ".join(sorted(found))}: to be filled in' if found else None


def run_command(command: Command, seconds: float, folder: Path) -> dict:
    """Run a command in a folder, stop it after some seconds, and return what became of it.

    Returns:
        ``page``, ``line``, ``command`` and ``outcome``: ``done``, ``begun`` if it was stopped,
        ``not run: …`` or ``failed: …``.
    """
    row = dict(page=command.page, line=command.line, command=command.text)
    if command.why_not:
        return row | dict(outcome=f'not run: {command.why_not}')
    script = '\n'.join(['set -eo pipefail', *command.settings, command.text])
    with subprocess.Popen(
        ['bash', '-c', script],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
        start_new_session=True,
    ) as running:
        try:
            said, _ = running.communicate(timeout=seconds)
        except BaseException as stopped:  # Ctrl-C does not reach a session of its own
            os.killpg(running.pid, signal.SIGKILL)
            if isinstance(stopped, subprocess.TimeoutExpired):
                return row | dict(outcome='begun')
            raise
    if running.returncode == 0:
        return row | dict(outcome='done')
    last = said.strip().splitlines() or [f'exit status {running.returncode}']
    return row | dict(outcome=f'failed: {last[-1]}')


def pages_of(root: Path, names: Sequence[str] = ()) -> list[Path]:
    """Return README.md and the pages of docs/ below a folder, or those that are named."""
    pages = [Path(name) for name in names] or [root / 'README.md', *sorted(root.glob('docs/*.md'))]
    for page in pages:
        if not page.is_file():
            raise UserError(f'{page}: no such page')
    return pages
