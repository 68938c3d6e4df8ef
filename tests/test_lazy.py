from importlib import import_module
from pathlib import Path

import pytest

from mmsmoke.lazy import lazy

LAZY = ('apis', 'datasets', 'functional', 'utils')


@pytest.mark.parametrize('package', LAZY)
def test_whatever_a_package_names_is_there(package):
    package = import_module(f'mmsmoke.{package}')
    assert package.__all__ and dir(package) == package.__all__
    for name in package.__all__:
        assert getattr(package, name) is not None


@pytest.mark.parametrize('package', LAZY)
def test_no_module_stands_in_the_place_of_a_name(package):
    package = import_module(f'mmsmoke.{package}')
    modules = {path.stem for path in Path(package.__file__).parent.iterdir()}
    assert not modules & {*package.__all__}


def test_a_name_that_is_not_there_is_an_attribute_error():
    names, get, _ = lazy('json', {'.decoder': ['JSONDecoder'], 'math': ['pi']})
    assert names == ['JSONDecoder', 'pi']
    assert get('pi') == import_module('math').pi
    assert get('JSONDecoder') is import_module('json.decoder').JSONDecoder
    with pytest.raises(AttributeError, match="module 'json' has no attribute 'Nothing'"):
        get('Nothing')


def test_what_other_code_calls_is_what_the_rooms_have():
    import mmsmoke.apis
    from mmsmoke.experiments.pipeline import run_pipeline
    from mmsmoke.inference.inferencer import SmokeInferencer

    assert mmsmoke.apis.run_pipeline is run_pipeline
    assert mmsmoke.apis.SmokeInferencer is SmokeInferencer
