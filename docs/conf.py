"""Settings of the site: ``make docs`` builds docs/_build/html/index.html."""

import re
import sys
from pathlib import Path
from pydoc import locate

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

from api_pages import api_pages, public_name
from components import components_page
from gallery import gallery_page
from pygments.lexers.special import TextLexer

from mmsmoke.utils.quiet import silence_warnings
from mmsmoke.version import __version__

project = 'mmsmoke'
release = __version__
extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.autosummary',
    'sphinx.ext.napoleon',
    'sphinx_copybutton',
]
exclude_patterns = ['_build']
html_theme = 'furo'
html_static_path = ['site.css']
html_css_files = ['site.css']
html_title = f'mmsmoke {release}'
html_show_copyright = False
html_show_sphinx = False

# headings of all levels that pages link to
myst_heading_anchors = 4

napoleon_use_ivar = True
napoleon_custom_sections = [('Fields', 'params_style')]
default_role = 'code'
autosummary_generate = False
autodoc_member_order = 'bysource'
# mmengine's and PyTorch's docstrings are not ours to mend
autodoc_inherit_docstrings = False
maximum_signature_line_length = 88
# names of mmsmoke must lead somewhere; those of other projects are not looked up
nitpicky = True
nitpick_ignore_regex = [('py:.*', r'(?!mmsmoke\.).*')]

ON_SITE = dict(README='index', CONTRIBUTING='contributing', CHANGELOG='changelog')
"""Maps pages of the top level to their names on the site."""


def in_site(text: str) -> str:
    """Return a page's text with links as they are on the site.

    There the pages of the top level, of which the README is ``index``, stand beside those of docs/.
    Other files of the repository become downloads by themselves.
    """
    text = re.sub(r'(\]\()docs/', r'\1', text)
    top = rf'(\]\()(?:\.\./)?({"|".join(ON_SITE)})(?=\.md)'
    return re.sub(top, lambda match: match[1] + ON_SITE[match[2]], text)


def rewrite_links(app, *names_and_text) -> None:
    content = names_and_text[-1]
    content[0] = in_site(content[0])


def write_pages(app) -> None:
    """Write docs/reference, what is made of code and of other pages; touch only what changes."""
    texts = dict(api_pages(), components=components_page(), gallery=gallery_page(DOCS))
    pages = {DOCS / 'reference' / f'{name}.rst': text for name, text in texts.items()}
    for path in {*(DOCS / 'reference').rglob('*.rst')} - {*pages}:
        path.unlink()
    for path, text in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding='utf-8') != text:
            path.write_text(text, encoding='utf-8')


def find_other_name(app, env, node, content):
    """Lead a reference by another name of ours, as mmsmoke.models.heads.CAMHead, to its entry.

    What exists without an entry, as a constant, is named without a link.
    """
    name = node.get('reftarget', '')
    thing = locate(name) if name.startswith('mmsmoke.') else None
    if thing is None:
        return None
    if not hasattr(thing, '__qualname__'):
        return content
    python, place = env.domains['py'], (env, node['refdoc'], app.builder)
    return python.resolve_xref(*place, 'obj', public_name(thing), node, content) or content


def setup(app) -> None:
    silence_warnings()
    app.add_lexer('csv', TextLexer)  # Pygments has none
    app.connect('builder-inited', write_pages)
    app.connect('source-read', rewrite_links)
    app.connect('include-read', rewrite_links)
    app.connect('missing-reference', find_other_name)
