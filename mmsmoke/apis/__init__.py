from importlib import import_module

_ROOMS = dict(SmokeInferencer='inference.inferencer', run_pipeline='experiments.pipeline')
__all__ = sorted(_ROOMS)


def __getattr__(name: str):
    # what needs no network shall not wait for one to be imported
    if name in _ROOMS:
        return getattr(import_module(f'mmsmoke.{_ROOMS[name]}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
