"""Complete commands in bash, zsh and fish, whose scripts ask mmsmoke what may come next."""

import io
import re
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path

from mmsmoke.commands import find_tools, run_tool, split_command
from mmsmoke.utils import UserError
from mmsmoke.utils.files import INSTALLED, installed

# where mmsmoke knows nothing to come next, each shell completes names of files
SCRIPTS = dict(
    bash="""\
_mmsmoke() {
    local IFS=$'\\n'
    COMPREPLY=($("$1" completion words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _mmsmoke mmsmoke""",
    zsh="""\
#compdef mmsmoke
_mmsmoke() {
    local -a found
    found=(${(f)"$("$words[1]" completion words "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    if (( $#found )); then compadd -a found; else _files; fi
}
compdef _mmsmoke mmsmoke""",
    fish="""\
function _mmsmoke
    set -l words (commandline -opc)
    $words[1] completion words $words[2..] (commandline -ct) 2>/dev/null
end
complete -c mmsmoke -a '(_mmsmoke)'""",
)


def complete(arguments: Sequence[str]) -> str:
    """Return the script of a shell or, after ``words``, what may stand for the last of them."""
    match arguments:
        case [shell] if shell in SCRIPTS:
            return SCRIPTS[shell]
        case ['words', *words] if words:
            return '\n'.join(candidates(words))
    raise UserError(f'say one shell: mmsmoke completion {"|".join(SCRIPTS)}')


def candidates(words: Sequence[str]) -> list[str]:
    """List what the last word, of which a part or nothing is there yet, may become."""
    *before, begun = words
    tools = find_tools()
    commands = [name.split() for name in (*tools, *(f'completion {shell}' for shell in SCRIPTS))]
    place = len(before)
    found = {name[place] for name in commands if len(name) > place and name[:place] == before}
    if not before:
        found |= {'--help', '--version'}
    elif begun.startswith('-'):
        with suppress(UserError):
            command, _ = split_command(before, tools)
            found |= options_of(command, tools[command])
    elif begun.startswith('configs/') and not Path('configs').is_dir():
        paths = installed('configs').rglob('*.py')
        found |= {path.relative_to(INSTALLED).as_posix() for path in paths}
    return sorted(name for name in found if name.startswith(begun))


def options_of(command: str, tool: Path) -> set[str]:
    """Return the options that the help of a tool names."""
    with redirect_stdout(io.StringIO()) as text, suppress(SystemExit):
        run_tool(command, tool, ['--help'])
    return set(re.findall(r'^  (?:-\w, )?(--[\w-]+)', text.getvalue(), re.MULTILINE))
