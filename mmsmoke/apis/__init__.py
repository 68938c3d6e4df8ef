__all__ = ['SmokeInferencer']


def __getattr__(name: str):
    # converters import parts of this package and do without torch
    if name == 'SmokeInferencer':
        from .inferencer import SmokeInferencer

        return SmokeInferencer
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
