import pytest

from mmsmoke.datasets.labels import label_of
from mmsmoke.utils import DataError


@pytest.mark.parametrize('value', ['1', 1, 'yes', 'Yes', 'TRUE', 'y', ' true ', True])
def test_yes(value):
    assert label_of(value) == 1


@pytest.mark.parametrize('value', ['0', 0, 'no', 'No', 'FALSE', 'n', ' false ', False])
def test_no(value):
    assert label_of(value) == 0


@pytest.mark.parametrize('value', ['', '2', '1.0', 'on', 'ja', 2, None])
def test_anything_else_is_refused_with_what_is_accepted(value):
    with pytest.raises(DataError) as caught:
        label_of(value)
    assert str(caught.value) == (
        f'must be 0 or 1, got {value!r}; yes and no, true and false, y and n are read as well'
    )
