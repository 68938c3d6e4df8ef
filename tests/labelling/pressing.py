"""Keys and places on the page that labels."""

from serving import SIZE

KEYS = dict(ArrowLeft=37, ArrowRight=39, Enter=13, Escape=27, Backspace=8, Delete=46)
SAVED = "document.body.dataset.waiting === '0'"


def strike(browser, key):
    code = KEYS.get(key) or ord(key.upper())
    for kind in ('keyDown', 'keyUp'):
        browser.send(
            'Input.dispatchKeyEvent', type=kind, key=key, code=key, windowsVirtualKeyCode=code
        )


def press(browser, *keys, wait=True):
    for key in keys:
        browser.wait_for('document.body.dataset.ready')
        strike(browser, key)
    browser.wait_for('document.body.dataset.ready')
    if wait:
        browser.wait_for(f"(!('waiting' in document.body.dataset) || {SAVED})")


def text(browser, name):
    return browser.run(f"document.getElementById('{name}').textContent")


def to_window(browser, x, y):
    """Return where a place of the picture is in the window."""
    box = browser.run(
        '(box => [box.left, box.top, box.width, box.height])('
        "document.getElementById('sheet').getBoundingClientRect())"
    )
    return box[0] + x * box[2] / SIZE[1], box[1] + y * box[3] / SIZE[0]


def in_order(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob('*.png'))
