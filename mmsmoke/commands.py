"""Find the tools of this installation, and run one under the name of its command."""

import ast
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from mmsmoke.utils import UserError
from mmsmoke.utils.files import installed

GROUPS = {
    '': '',
    'deploy': '',
    'model_converters': '',
    'dataset_converters': 'convert',
    'analysis': 'analyse',
}
"""Maps each folder of tools to the word that its commands begin with, if any."""
SHORT = dict(
    check_dataset='check',
    make_pseudo_labels='pseudo-labels',
    run_pipeline='pipeline',
    search_threshold='threshold',
    suggest_labels='suggest',
)
"""Maps tools to commands that are shorter than their names."""


def find_tools() -> dict[str, Path]:
    """Map commands, such as ``train`` and ``convert voc``, to the files of their tools."""
    tools = {}
    for folder, group in GROUPS.items():
        for path in sorted((installed('tools') / folder).glob('*.py')):
            name = SHORT.get(path.stem, path.stem.replace('_', '-'))
            tools[f'{group} {name}'.strip()] = path
    return tools


def purpose(tool: Path) -> str:
    """Return the first line of a tool's docstring, without running the tool."""
    text = ast.get_docstring(ast.parse(tool.read_text(encoding='utf-8')))
    return text.splitlines()[0]


def split_command(words: Sequence[str], tools: dict[str, Path]) -> tuple[str, list[str]]:
    """Split what stands on a command line into the command and its arguments."""
    length = 2 if words[0] in GROUPS.values() else 1
    command = ' '.join(words[:length])
    if command in tools:
        return command, list(words[length:])
    same = [name for name, tool in tools.items() if tool.stem == Path(command).stem]
    close = same or get_close_matches(command, tools, 1, 0.5)
    guess = f'did you mean {close[0]}? ' if close else ''
    raise UserError(f'no command is called {command}; {guess}mmsmoke --help lists all')


def run_tool(command: str, tool: Path, arguments: Sequence[str]) -> None:
    """Run a tool as ``python TOOL`` would, but let its help show the command."""
    sys.argv = [f'mmsmoke {command}', *arguments]
    spec = spec_from_file_location(f'mmsmoke_tool_{tool.stem}', tool)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main()
