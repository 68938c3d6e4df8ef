"""Every config file is built, each folder by a clean interpreter, as a user would build it."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUNS = ('affinity', 'cam', 'crossarch', 'segmentors')
PLANS = sorted(
    path for folder in ('pipelines', 'sweeps') for path in (ROOT / 'configs' / folder).rglob('*.py')
)

BUILD_RUN = """
import sys
from mmengine.registry import DATASETS, EVALUATOR, HOOKS, MODELS, TRANSFORMS, DefaultScope
from mmsmoke.engine.launch import load_config
from mmsmoke.utils import mappings

def build(path):
    cfg = load_config(path)
    for network in (cfg.model, cfg.model.get('teacher', {}), cfg.model.get('student', {})):
        if network.get('backbone', {}).get('type') == 'TIMMBackbone':
            network.backbone.pretrained = False  # weights come from the network
    DefaultScope.get_instance(path, scope_name=cfg.default_scope)
    if cfg.model not in built:  # others differ in what they learn from
        MODELS.build(cfg.model)
        built.append(cfg.model)
    loaders = cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader
    for loader in filter(None, loaders):  # what is not validated has none
        for node in mappings(loader.dataset):
            if 'data_root' in node and 'scores' not in node:  # no transform
                DATASETS.build({**node, 'lazy_init': True})
    EVALUATOR.build(dict(type='Evaluator', metrics=cfg.get('test_evaluator', [])))
    for hook in [*cfg.default_hooks.values(), *cfg.get('custom_hooks', [])]:
        HOOKS.build(hook)

built = []
for path in sys.argv[1:]:
    try:
        build(path)
    except Exception as error:
        raise RuntimeError(path) from error
print('built', len(sys.argv) - 1)
"""


def in_clean_interpreter(code: str, *arguments) -> str:
    done = subprocess.run(
        [sys.executable, '-c', code, *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, 'OMP_NUM_THREADS': '1'},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize('folder', RUNS)
def test_run_configs_build(folder):
    configs = sorted((ROOT / 'configs' / folder).rglob('*.py'))
    assert configs
    assert in_clean_interpreter(BUILD_RUN, *configs).endswith(f'built {len(configs)}\n')


@pytest.mark.parametrize('folder', RUNS)
def test_a_config_inherited_by_the_package_s_name_is_the_same(folder, tmp_path):
    from mmsmoke.engine.launch import load_config

    for config in sorted((ROOT / 'configs' / folder).rglob('*.py')):
        child = tmp_path / config.name
        child.write_text(f"_base_ = 'mmsmoke::{config.relative_to(ROOT / 'configs')}'\n")
        assert load_config(child).to_dict() == load_config(config).to_dict()


def test_masks_to_learn_from_are_those_that_a_classifier_of_ours_makes():
    from mmsmoke.engine.launch import load_config

    configs = [*(ROOT / 'configs/segmentors').glob('*.py'), *(ROOT / 'configs/affinity').glob('*')]
    for config in configs:
        folder = Path(load_config(config).train_dataloader.dataset.get('seg_map_dir') or '')
        if folder.name == 'masks' and folder.parts[0] == 'work_dirs':
            classifier = folder.parts[1].rpartition('_')[0]
            assert list((ROOT / 'configs').glob(f'c*/{classifier}.py')), (config.name, folder)


@pytest.mark.parametrize('plan', PLANS, ids=lambda path: str(path.relative_to(ROOT / 'configs')))
def test_plan_names_configs_and_splits_that_exist(plan):
    from mmsmoke.engine.launch import load_config

    cfg = load_config(plan)
    stages = [cfg[name] for name in ('teach', 'classify', 'segment') if name in cfg] or [cfg]
    for stage in stages:
        assert (ROOT / cfg.get('configs', {}).get(stage.config, stage.config)).is_file()
    assert cfg.get('threshold_split') not in cfg.get('test_splits', [])


@pytest.mark.parametrize(
    'plan', sorted((ROOT / 'configs/refinement').glob('*.py')), ids=lambda p: p.stem
)
def test_every_row_of_a_refinement_plan_can_be_built(plan):
    from mmengine.registry import HOOKS

    from mmsmoke.engine.launch import load_config
    from mmsmoke.experiments.comparison import row_config

    cfg = load_config(plan)
    for name, row in cfg.rows.items():
        built = row_config(cfg, name)
        hooks = [HOOKS.build(hook) for hook in built.custom_hooks]
        assert len(hooks) > len(row.get('refiners', ()))
        assert len({hook.stage for hook in hooks[:-1]}) == len(hooks) - 1


@pytest.mark.parametrize(
    'plan', sorted((ROOT / 'configs/sweeps').glob('*.py')), ids=lambda p: p.stem
)
def test_every_variant_of_a_sweep_can_be_built(plan, mmpretrain_scope):
    from mmsmoke.engine.launch import load_config
    from mmsmoke.experiments.run_records import read_sweep
    from mmsmoke.experiments.variants import variant_changes, variant_config
    from mmsmoke.inference.predictor import scope_of
    from mmsmoke.registry import MODELS

    built = []
    for scale in (None, *read_sweep(plan).get('scales', ())):
        sweep = read_sweep(plan, scale)
        for variant in sweep.variants:
            if 'best_of' in sweep.variants[variant]:
                continue  # a variant of the sweep that has tried its settings
            changes = variant_changes(sweep.variants, variant)
            config = variant_config(sweep, changes)
            cfg = load_config(ROOT / config, options={**sweep.options, **changes})
            if cfg.model not in built:  # others differ in how they learn, and from what
                with scope_of(cfg):  # some are segmentors
                    MODELS.build(cfg.model)
                built.append(cfg.model)
            root = cfg.train_dataloader.dataset.data_root
            assert root in sweep.get('draw', {}) or root == 'data/smoke5k-pack'


def test_configs_are_composed_not_cloned():
    """Each is named in docs, or in another config, or is one of a family that docs name."""
    files = sorted((ROOT / 'configs').rglob('*.py'))
    assert len(files) <= 223
    bodies = {}
    for file in files:
        lines = [line for line in file.read_text().splitlines() if line and line[0] != '#']
        assert bodies.setdefault('\n'.join(lines), file) == file


@pytest.mark.parametrize('path', sorted((ROOT / 'configs').rglob('*.py')), ids=lambda p: p.stem)
def test_nothing_edits_a_list_by_position(path):
    for node in ast.walk(ast.parse(path.read_text())):
        for target in getattr(node, 'targets', ()):
            by_position = [
                one
                for one in ast.walk(target)
                if isinstance(one, ast.Subscript) and not _is_name(one.slice)
            ]
            assert not by_position, ast.unparse(node)


def _is_name(index: ast.expr) -> bool:
    return not isinstance(index, ast.Slice) and not isinstance(getattr(index, 'value', ''), int)


def test_hooks_and_pipelines_load_no_network():
    code = (
        'import sys, mmsmoke.engine, mmsmoke.experiments.pipeline, mmsmoke.experiments.sweep; '
        "print([m for m in ('mmsmoke.models', 'mmpretrain.models') if m in sys.modules])"
    )
    assert in_clean_interpreter(code) == '[]\n'


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, mmsmoke; print([m for m in ('torch', 'mmengine', 'cv2') if m in sys.modules])"
    )
    assert in_clean_interpreter(code).strip() == '[]'
