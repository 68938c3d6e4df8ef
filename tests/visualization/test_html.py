"""Pages and the policy that they come with."""

import base64
import hashlib
import re
from html import escape

import pytest

from mmsmoke.visualization.html import html_page


def parts(page, element):
    return re.findall(f'<{element}>(.*?)</{element}>', page, re.DOTALL)


def hash_of(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.mark.parametrize('script', ['', "document.title = 'é'\n"])
def test_the_policy_names_what_is_on_the_page(script):
    page = html_page('A & B', '<p>body</p>', 'p { color: red }', script)
    policy = re.search('"Content-Security-Policy" content="([^"]*)"', page)[1]
    rules = dict(rule.split(maxsplit=1) for rule in policy.split(';'))
    (style,) = parts(page, 'style')
    assert style.endswith('p { color: red }') and parts(page, 'script') == [script] * bool(script)
    assert rules == {
        'default-src': "'none'",
        'img-src': 'data:',
        'style-src': hash_of(style),
        'script-src': hash_of(script) if script else "'none'",
        'base-uri': "'none'",
        'form-action': "'none'",
    }
    # nothing may run before it
    assert page.index('Content-Security-Policy') < page.index('<title>') < page.index('<style>')
    assert escape('A & B') in page
