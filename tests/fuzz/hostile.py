"""Hostile input by the thousand: ``make test`` tries a little of it, ``make fuzz`` much more.

Whatever comes in, the answer is a result or a UserError of one line, and no code of it runs.
"""

import copy
import os
from contextlib import contextmanager

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mmsmoke.utils import UserError

EXAMPLES = int(os.environ.get('EXAMPLES', 0))
"""How many of each kind; a few that are always the same unless that many are asked for."""

settings.register_profile(
    'hostile',
    max_examples=EXAMPLES or 40,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile('hostile')

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(['\0', '../x', '1e999', '-1', 'None', '__tuple__', 'type']),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@contextmanager
def answered():
    """Lets a UserError of one line pass as an answer; everything else is a finding."""
    try:
        yield
    except UserError as error:
        message = str(error)
        assert message and '\n' not in message.strip(), message


@st.composite
def damaged(draw, good: bytes):
    """Bytes of a file after up to five changes: flipped bits, cuts, insertions, repetitions."""
    content = bytearray(good)
    for _ in range(draw(st.integers(1, 5))):
        if not content:
            break
        at = draw(st.integers(0, len(content) - 1))
        kind = draw(st.sampled_from(['flip', 'set', 'cut', 'drop', 'insert', 'repeat']))
        if kind == 'flip':
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == 'set':
            content[at] = draw(st.integers(0, 255))
        elif kind == 'cut':
            del content[at:]
        elif kind == 'drop':
            del content[at : at + draw(st.integers(1, 40))]
        elif kind == 'insert':
            content[at:at] = draw(st.binary(max_size=20))
        else:
            content[at:at] = content[at : at + draw(st.integers(1, 40))]
    return bytes(content)


@st.composite
def altered(draw, good):
    """A nest of dicts and lists with one to three values replaced, removed or repeated."""
    content = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        node = content
        for _ in range(draw(st.integers(0, 6))):
            inner = node.values() if isinstance(node, dict) else node
            nests = [one for one in inner if isinstance(one, dict | list) and one]
            if not nests:
                break
            node = draw(st.sampled_from(nests))
        if not node:
            continue
        key = draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        kind = draw(st.sampled_from(['replace', 'remove', 'repeat']))
        if kind == 'replace':
            node[key] = draw(JSON)
        elif kind == 'remove':
            del node[key]
        elif isinstance(node, list):
            node.append(copy.deepcopy(node[key]))
    return content
