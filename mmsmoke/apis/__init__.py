__all__ = ['SmokeInferencer']


def __getattr__(name: str):
    # what needs no network shall not wait for one to be imported
    if name == 'SmokeInferencer':
        from .inferencer import SmokeInferencer

        return SmokeInferencer
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
