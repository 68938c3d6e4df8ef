"""Write the gallery: the pictures of all pages, each with its caption and a way to its page."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

from api_pages import heading

LINK = re.compile(r'(!?)\[([^\]]+)\]\((?:docs/)?images/([^)]+)\)')


def gallery_page(docs: Path) -> str:
    """Return the reStructuredText of the gallery; a picture stands where it is shown first."""
    lines = [heading('Gallery', '='), 'A click on a picture leads to the page that explains it.\n']
    seen = set()
    top = [docs.parent / name for name in ('README.md', 'CONTRIBUTING.md')]
    for page in [*top, *sorted(docs.glob('*.md'))]:
        text = page.read_text(encoding='utf-8')
        pictures = [picture for picture in pictures_of(text) if picture[0] not in seen]
        target = 'index' if page == top[0] else page.stem.lower()
        if pictures:
            lines.append(heading(text.splitlines()[0].removeprefix('# '), '-'))
            lines.append('.. container:: gallery\n')
        for name, caption in pictures:
            seen.add(name)
            figure = f'.. figure:: /images/{name}\n   :target: ../{target}.html\n\n   {caption}\n'
            lines.append(indent(figure, '   '))
    return '\n'.join(lines)


def pictures_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield file name and caption of each picture that a page shows or links to.

    A link, as "with seed 2", continues the caption of the picture above it.
    """
    above = ''
    for shown, caption, name in LINK.findall(text):
        yield name, caption if shown else f'{above}: {caption}'
        above = caption if shown else above
