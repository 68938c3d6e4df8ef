import pytest

from mmsmoke.functional import crf


@pytest.fixture(autouse=True)
def no_kernel_of_a_gpu_that_is_not_there():
    yield
    crf._spatial_kernel.cache_clear()
