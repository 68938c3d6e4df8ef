import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = [
    ['functional', 'structures', 'registry', 'version', 'lazy', 'utils', 'weights'],
    ['models', 'datasets', 'visualization'],
    ['engine', 'evaluation'],
    ['experiments', 'inference', 'deploy', 'reports', 'converters', 'labelling'],
    ['apis'],
    ['commands', 'completion'],
]
FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}


def imported_rooms(path: Path) -> set[str]:
    """Return the rooms of mmsmoke that a file imports anywhere, by absolute or relative name."""
    package = path.relative_to(ROOT).parent.parts
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = '.'.join(package[: len(package) + 1 - node.level]) if node.level else ''
            module = '.'.join(filter(None, [base, node.module]))
            names |= {f'{module}.{alias.name}' for alias in node.names}
    parts = [name.split('.') for name in names]
    return {part[1] for part in parts if part[0] == 'mmsmoke' and len(part) > 1} & set(FLOOR_OF)


@pytest.mark.parametrize('room', FLOOR_OF)
def test_a_room_imports_none_above_it(room):
    place = ROOT / 'mmsmoke' / room
    for path in place.rglob('*.py') if place.is_dir() else [place.with_suffix('.py')]:
        above = {name for name in imported_rooms(path) if FLOOR_OF[name] > FLOOR_OF[room]}
        assert not above, path


def test_the_ground_floor_imports_no_other_room():
    for path in (ROOT / 'mmsmoke/functional').glob('*.py'):
        allowed = {'functional', 'lazy'} if path.name == '__init__.py' else {'functional'}
        assert imported_rooms(path) <= allowed, path
    assert not imported_rooms(ROOT / 'mmsmoke/lazy.py')


def test_only_tools_and_tests_import_converters():
    for path in (ROOT / 'mmsmoke').rglob('*.py'):
        if 'converters' not in path.parts:
            assert 'converters' not in imported_rooms(path), path


def test_every_room_has_its_floor():
    rooms = {path.name.removesuffix('.py') for path in (ROOT / 'mmsmoke').iterdir()}
    assert {room for room in rooms if not room.startswith(('_', '.'))} == set(FLOOR_OF)
