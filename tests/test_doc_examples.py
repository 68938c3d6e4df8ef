"""The Python of the documents: what it names exists and takes these arguments; tutorials run."""

import ast
import csv
import importlib
import inspect
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import save
from mmengine.registry import Registry
from torch.nn import Module

import mmsmoke.registry
from mmsmoke.__main__ import main
from mmsmoke.reports.commands import commands_of

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / 'README.md', *sorted(ROOT.glob('docs/*.md'))]
BLOCK = re.compile(r'```python\n(.*?)```', re.DOTALL)
FILE = re.compile(r'^`(\w+\.py)`(?:.|\n.)*:\n\n```python\n((?:.|\n)*?)```', re.MULTILINE)
EXAMPLES = [
    pytest.param(code, id=f'{page.name}-{number}')
    for page in PAGES
    for number, code in enumerate(BLOCK.findall(page.read_text(encoding='utf-8')))
]
# what a builder adds to the arguments that a config has
ADDED = {'type', '_delete_'}


def class_of(name: str) -> type | None:
    """Return the class that mmsmoke registers under a name, in whichever registry."""
    registries = [one for one in vars(mmsmoke.registry).values() if isinstance(one, Registry)]
    return next((found for one in registries if (found := one.get(f'mmsmoke.{name}'))), None)


def of_ours(code: str) -> list[tuple[str, set[str]]]:
    """Return the type and the names of the arguments of each ``dict(type='mmsmoke.X', …)``."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'dict':
            named = {word.arg: word.value for word in node.keywords if word.arg}
            kind = getattr(named.get('type'), 'value', '')
            if isinstance(kind, str) and kind.startswith('mmsmoke.'):
                found.append((kind.removeprefix('mmsmoke.'), set(named) - ADDED))
    return found


def of_page(code: str) -> set[str]:
    return set(re.findall(r'register_module\(\)\nclass (\w+)', code))


@pytest.mark.parametrize('code', EXAMPLES)
def test_types_of_examples_exist_and_take_these_arguments(code):
    own = {name for page in PAGES for name in of_page(page.read_text(encoding='utf-8'))}
    for name, arguments in of_ours(code.replace(', …', '')):
        if name in own:
            continue
        kind = class_of(name)
        assert kind is not None, f'mmsmoke.{name} is not registered'
        behind = class_of(name.replace('Hook', 'Refiner')) or kind  # a hook hands arguments on
        taken = [
            parameter
            for one in (*kind.__mro__, behind)
            if '__init__' in vars(one)
            for parameter in inspect.signature(one.__init__).parameters.values()
        ]
        unknown = arguments - {parameter.name for parameter in taken}
        anything = any(one.kind is one.VAR_KEYWORD for one in taken) and not issubclass(
            kind, Module
        )
        assert anything or not unknown, f'{name} does not take {unknown}'


@pytest.mark.parametrize('code', EXAMPLES)
def test_imports_of_examples_work(code):
    for node in ast.walk(ast.parse(code.replace(', …', ''))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith('mmsmoke'):
            module = importlib.import_module(node.module)
            for name in node.names:
                assert hasattr(module, name.name), f'{node.module} has no {name.name}'


@pytest.fixture
def of_no_other_test(monkeypatch):
    """Forget afterwards what a page registers, and its modules."""
    before = dict(mmsmoke.registry.MODELS.module_dict)
    yield
    monkeypatch.undo()
    mmsmoke.registry.MODELS.module_dict.clear()
    mmsmoke.registry.MODELS.module_dict.update(before)
    sys.modules.pop('my_methods', None)


def run_page(commands, run_main):
    for command in commands:
        program, *words = command.words
        assert program == 'mmsmoke'
        code, _, complaint = run_main(main, *words)
        assert code == 0, complaint


def test_adding_a_method_as_the_page_does(tmp_path, run_main, monkeypatch, of_no_other_test):
    page = ROOT / 'docs/add_a_method.md'
    for name, code in FILE.findall(page.read_text(encoding='utf-8')):
        (tmp_path / name).write_text(code)
        assert len(code.splitlines()) <= 60
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    run_page(commands_of(page), run_main)
    (log,) = Path('work/mine').glob('*/*.log')
    assert 'loss_smooth' in log.read_text()
    manifest = Path('work_dirs/my_classifier_labels/manifest.json').read_text()
    assert '"size": 5' in manifest and 'blur' in manifest
    assert len(list(Path('work_dirs/my_classifier_labels/masks').rglob('*.png'))) == 32


def test_adding_a_dataset_as_the_page_does(tmp_path, run_main, monkeypatch):
    page = ROOT / 'docs/add_a_dataset.md'
    ((name, code),) = FILE.findall(page.read_text(encoding='utf-8'))
    rng = np.random.default_rng(0)
    for number in range(40):
        picture = rng.integers(0, 255, (48, 64, 3), np.uint8)
        folder = tmp_path / 'sorted' / ('smoke' if number % 2 else 'clear')
        save(folder / f'north_2026030{number // 8}_09{number:02}.png', picture)
    (tmp_path / name).write_text(code)
    monkeypatch.chdir(tmp_path)
    convert, *commands = commands_of(page)
    assert convert.words == ['python', name]
    exec(compile(code, name, 'exec'), {})
    with open('data/sorted/labels.csv') as file:
        rows = list(csv.DictReader(file))
    assert Counter(row['split'] for row in rows) == dict(train=24, val=8, test=8)
    assert Counter(row['smoke'] for row in rows) == {'0': 20, '1': 20}
    run_page(commands, run_main)
    assert list(Path('work/sorted').glob('best_*.pth'))
