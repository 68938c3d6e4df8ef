"""Checkpoints that try to run code: each, once executed, leaves a file that a test looks for."""

import json
import pickle
from pathlib import Path

import torch


class _Touch:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return exec, (f'import pathlib; pathlib.Path({str(self.path)!r}).touch()',)


KINDS = ('raw', 'archive', 'in meta', 'in optimizer', 'in weights')


def evil_checkpoint(kind: str, path: Path, traces: Path, weights: dict) -> Path:
    """Write weights that are good, with a function call hidden beside or among them."""
    bad, meta = _Touch(traces), dict(epoch=1, iter=1)
    content = dict(meta=meta, state_dict=dict(weights), optimizer={}, message_hub={})
    if kind == 'raw':
        path.write_bytes(pickle.dumps(bad, protocol=2))
        return path
    if kind == 'archive':
        content = bad
    elif kind == 'in meta':
        meta['x'] = bad
    elif kind == 'in optimizer':
        content['optimizer'] = dict(state=[bad])
    else:
        content['state_dict']['backbone.x'] = bad
    torch.save(content, path)
    return path


def evil_configs(path: Path, traces: Path, cfg, weights: dict) -> dict[str, tuple[Path, str]]:
    """Write good weights whose config runs code if one lets it.

    Returns:
        Of each kind of config the file, and what must be named when it is refused.
    """
    touch = f'open({str(traces)!r}, "w")'
    module = traces.with_name('foreign_module.py')
    module.write_text(f'{touch}\n')
    text, plain = cfg.pretty_text, cfg.to_dict()
    called = dict(type='pathlib.Path.touch', self=str(traces))
    dumped = dict(type='mmengine.dump', obj='x', file=str(traces), file_format='json')
    foreign = dict(imports=['foreign_module'])
    texts = {
        'a line before': (f'{touch}\n{text}', 'line 1 is code, not a value'),
        'a call in a value': (f'{text}\nx = dict(a=[{touch}])\n', 'is code, not a value'),
        'a call as an argument': (f'{text}\nx = dict(**{touch})\n', 'is code, not a value'),
        'an import': (f'import foreign_module\n{text}', 'line 1 is code'),
        'a foreign module': (f'{text}\ncustom_imports = {foreign}\n', 'module foreign_module'),
    }
    values = {
        'a foreign module': (dict(plain, custom_imports=foreign), 'module foreign_module'),
        'a function as type': (dict(plain, model=called), 'the type pathlib.Path.touch'),
        'a helper as type': (dict(plain, model=dumped), 'no component is called mmengine.dump'),
        'a module as type': (dict(plain, model=dict(type='foreign_module')), 'is called foreign_'),
        'a foreign scope': (dict(plain, default_scope='foreign_module'), 'scope foreign_module'),
        'a foreign scope inside': (
            dict(plain, model=dict(plain['model'], _scope_='foreign_module')),
            'scope foreign_module',
        ),
    }
    metas = {f'text: {key}': (dict(cfg=text), named) for key, (text, named) in texts.items()}
    metas |= {
        f'JSON: {key}': (dict(mmsmoke_cfg=json.dumps(value)), named)
        for key, (value, named) in values.items()
    }
    files = {}
    for number, (key, (meta, named)) in enumerate(metas.items()):
        file = path / f'config-{number}.pth'
        torch.save(dict(state_dict=weights, meta=meta), file)
        files[key] = file, named
    return files
