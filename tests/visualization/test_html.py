"""Pages and the policy that they come with."""

import base64
import hashlib
import re
from html import escape

import browser as module
import pytest
from browser import Browser, Silent, find_chromium

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


@pytest.mark.skipif(find_chromium() is None, reason='no Chromium')
def test_the_browser_of_the_tests_survives_a_crash_and_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'PATIENCE', 5)
    page = tmp_path / 'page.html'
    page.write_text('<body data-ready="1">still here</body>')
    browser = Browser(tmp_path / 'profile')
    with pytest.raises(Silent, match='crashed'):
        browser.send('Page.navigate', url='chrome://crash')
        browser.run('1')
    browser.open(page)
    assert browser.run('document.body.textContent') == 'still here'
    browser.process.kill()
    with pytest.raises(Silent, match='gone'):
        browser.run('1')
    browser.close()
