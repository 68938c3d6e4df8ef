import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from mmsmoke import functional

ROOT = Path(__file__).parents[1]


@pytest.fixture
def conf(monkeypatch) -> ModuleType:
    """The settings of the site, with what they import from docs/."""
    monkeypatch.syspath_prepend(ROOT / 'docs')
    return import_module('conf')


def test_the_navigation_names_every_page_once():
    trees = re.findall(r'```{toctree}\n(.*?)```', (ROOT / 'docs/index.md').read_text(), re.S)
    lines = [line for line in '\n'.join(trees).splitlines() if line and not line.startswith(':')]
    named = [re.sub(r'.*<(.+)>', r'\1', line) for line in lines]
    pages = ['self', *(path.stem for path in (ROOT / 'docs').glob('*.md') if path.stem != 'index')]
    assert sorted(name for name in named if not name.startswith('reference/')) == sorted(pages), (
        'docs/index.md: name each page of docs/ once, in the toctree where a newcomer looks for it'
    )


@pytest.mark.parametrize(
    'written, on_site',
    [
        ('[a](docs/a.md) and [b](docs/b.md#c)', '[a](a.md) and [b](b.md#c)'),
        ('![a picture](docs/images/a.png)', '![a picture](images/a.png)'),
        ('[extras](../README.md#extras)', '[extras](index.md#extras)'),
        ('see [the README](../README.md).', 'see [the README](index.md).'),
        ('[how](CONTRIBUTING.md)', '[how](contributing.md)'),
        ('[new](../CHANGELOG.md)', '[new](changelog.md)'),
    ],
)
def test_links_are_rewritten_for_the_site(conf, written, on_site):
    assert conf.in_site(written) == on_site


@pytest.mark.parametrize(
    'text',
    ['[b](b.md#c)', '[c](../configs/cam/c.py)', '[w](https://a.org/docs/w.md)', '`docs/a.md`'],
)
def test_other_links_stay_as_they_are(conf, text):
    assert conf.in_site(text) == text


def test_the_page_of_components_shows_all_that_is_registered(conf):
    registered = re.compile(r'^@(\w+)\.register_module\(\)\nclass (\w+)', re.M)
    written = [
        pair
        for path in (ROOT / 'mmsmoke').rglob('*.py')
        for pair in registered.findall(path.read_text(encoding='utf-8'))
    ]
    group, shown = '', []
    for title, line in re.findall(r'^(\S.*)\n(-+|~+)$', conf.components_page(), re.M):
        if line.startswith('-'):
            group = title.partition(':')[0]
        else:
            shown.append((group, title.removeprefix('mmsmoke.')))
    assert len(written) > 50
    assert sorted(shown) == sorted(written)


def test_arguments_that_a_class_passes_on_are_those_of_its_parent(conf):
    from mmpretrain.models import MultiLabelClsHead

    from mmsmoke.models import CAMHead, PCMHead

    of = import_module('components')
    heads, parents = of.arguments(PCMHead)[0], of.arguments(CAMHead)[0]
    assert set(heads) == set(parents) > {'pool', 'num_classes', 'background'}
    assert (heads['background'].default, parents['background'].default) == (True, False)
    assert of.arguments(PCMHead)[1] is MultiLabelClsHead


def test_texts_of_arguments_come_from_docstrings(conf):
    class Parent:
        """Do it.

        Args:
            first, second: of two, see
                :func:`there`.
            third: of the parent.

        Example:
            >>> fourth: no argument
        """

    class Child(Parent):
        """Do it again.

        Args:
            third: of the child.
        """

    Parent.__module__ = Child.__module__ = 'mmsmoke.somewhere'
    both = 'of two, see :func:`there`.'
    expected = dict(first=both, second=both, third='of the child.')
    assert import_module('components').argument_texts(Child) == expected


def test_the_gallery_shows_every_picture_once(conf):
    shown = re.findall(r'figure:: /images/(\S+)', conf.gallery_page(ROOT / 'docs'))
    assert sorted(shown) == sorted(path.name for path in (ROOT / 'docs/images').iterdir())


def test_a_picture_of_the_gallery_has_the_caption_of_its_page(conf, tmp_path):
    docs = tmp_path / 'docs'
    docs.mkdir()
    (tmp_path / 'README.md').write_text('# All of it\n\n![The whole](docs/images/whole.png)\n')
    (tmp_path / 'CONTRIBUTING.md').write_text('# Help\n\n![Its page](docs/images/c.png)\n')
    (docs / 'part.md').write_text(
        '# A part\n\n![Seed 0](images/a.png)\n\nThe same [with seed 1](images/b.png).\n'
        '![Again](images/whole.png)\n'
    )
    page = conf.gallery_page(docs)
    found = re.findall(r'images/(\S+)\n +:target: (\S+)\n\n +(.+)', page)
    assert found == [
        ('whole.png', '../index.html', 'The whole'),
        ('c.png', '../contributing.html', 'Its page'),
        ('a.png', '../part.html', 'Seed 0'),
        ('b.png', '../part.html', 'Seed 0: with seed 1'),
    ]


def test_the_reference_has_all_that_a_room_offers(conf):
    pages = conf.api_pages()
    things = [getattr(functional, name) for name in functional.__all__]
    offered = {f'mmsmoke.functional.{thing.__name__}' for thing in things if callable(thing)}
    assert offered <= set(re.findall(r'auto(?:class|function):: (\S+)', pages['api/functional']))
    assert 'autoclass:: mmsmoke.models.CAMHead\n' in pages['api/models']
    assert '~mmsmoke.experiments.pipeline.run_pipeline\n' in pages['api/apis']
    assert 'autofunction:: mmsmoke.experiments.pipeline.run_pipeline\n' in pages['api/experiments']
