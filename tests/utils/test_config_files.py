"""Tests which config files are found, and what is said of one that cannot be read."""

import pytest
from conftest import ROOT

from mmsmoke.utils import UserError, read_config
from mmsmoke.utils.configs import find_config, rescaled, settings_of
from mmsmoke.utils.files import INSTALLED

FILES = {
    'name.py': 'x = 1\ny = z + 1\n',
    'child_name.py': "_base_ = './name.py'\n",
    'syntax.py': 'x = 1\ny = (\n',
    'child_syntax.py': "_base_ = './syntax.py'\n",
    'zero.py': 'x = 1 / 0\n',
    'none.py': 'model = dict(init_cfg=None)\n',
    'child_none.py': "_base_ = './none.py'\nmodel = dict(init_cfg=dict(type='Pretrained'))\n",
    'none2.py': 'model = dict(init_cfg=None)\n',
    'twice.py': "_base_ = ['./none.py', './none2.py']\n",
    'number.py': '_base_ = 5\n',
    'attribute.py': "_base_ = './none.py'\nx = _base_.y\n",
    'reserved.py': 'filename = 3\n',
    'orphan.py': "_base_ = './nowhere.py'\n",
    'grandchild.py': "_base_ = './orphan.py'\n",
    'installed.py': "_base_ = 'mmsmoke::cam/nowhere.py'\n",
    'one.py': "_base_ = './two.py'\n",
    'two.py': "_base_ = './one.py'\n",
    'itself.py': "_base_ = './itself.py'\n",
    'module.py': "custom_imports = dict(imports=['no_such_module'])\n",
    'lazy.py': 'import no_such_module\n\nx = no_such_module.y\n',
    'bytes.py': b'\xff\xfe\n',
    'cut.json': '{"a":',
}


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('name.py', r"name\.py, line 2: NameError: name 'z' is not defined"),
        ('child_name.py', r'name\.py, line 2 \(a base of \S*child_name\.py\): NameError: name'),
        ('syntax.py', r"syntax\.py, line 2: SyntaxError: '\(' was never closed"),
        ('child_syntax.py', r'syntax\.py, line 2 \(a base of \S*child_syntax\.py\): SyntaxError'),
        ('zero.py', r'zero\.py, line 1: ZeroDivisionError: division by zero'),
        ('child_none.py', r'child_none\.py: TypeError: init_cfg=.*NoneType.*_delete_=True'),
        ('twice.py', r"twice\.py: KeyError: Duplicate key .*'model'"),
        ('number.py', r'number\.py: TypeError'),
        ('attribute.py', r"attribute\.py, line 2: AttributeError: .* has no attribute 'y'"),
        ('reserved.py', r'reserved\.py: KeyError: filename is reserved'),
        ('orphan.py', r'orphan\.py names a base that is not there: \S*nowhere\.py'),
        ('grandchild.py', r'orphan\.py names a base that is not there: \S*nowhere\.py'),
        (
            'installed.py',
            r'installed\.py names a base that is not there: .*cam/nowhere\.py',
        ),
        ('one.py', r'one\.py go round in a circle: \S*one\.py -> \S*two\.py -> \S*one\.py'),
        ('itself.py', r'itself\.py go round in a circle: \S*itself\.py -> \S*itself\.py'),
        ('module.py', r'module\.py: ImportError: .*no_such_module'),
        ('lazy.py', r'lazy\.py.*no_such_module'),
        ('bytes.py', r'bytes\.py: UnicodeDecodeError'),
        ('cut.json', r'cut\.json, line 1: JSONDecodeError'),
        ('folder.py', r'config \S*folder\.py not found'),
        ('absent.py', r'config \S*absent\.py not found'),
    ],
)
def test_the_file_at_fault_is_named_in_one_line(name, message, tmp_path):
    for file, content in FILES.items():
        content = content.encode() if isinstance(content, str) else content
        (tmp_path / file).write_bytes(content)
    (tmp_path / 'folder.py').mkdir()
    with pytest.raises(UserError, match=message) as caught:
        read_config(tmp_path / name)
    assert '\n' not in str(caught.value)


def test_a_file_here_goes_before_that_of_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = 'configs/cam/lite0_3e_weakseg-168.py'
    assert find_config(name).samefile(ROOT / name)
    assert find_config('cam/lite0_3e_weakseg-168.py').samefile(ROOT / name)
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).touch()
    assert find_config(name).samefile(tmp_path / name)


def test_a_file_that_has_changed_is_read_anew_and_so_are_its_bases(tmp_path):
    base, child = tmp_path / 'base.py', tmp_path / 'child.py'
    base.write_text('a = dict(b=[1])')
    child.write_text("_base_ = './base.py'\nc = 1")
    first = read_config(child)
    first.a.b.append(2)
    first.c = 3
    again = read_config(child)
    assert (again.a.b, again.c, again.filename) == ([1], 1, str(child))
    base.write_text('a = dict(b=[9])')
    assert (read_config(child).a.b, read_config(child).c) == ([9], 1)
    child.write_text("_base_ = './base.py'\nc = 2")
    assert (read_config(child).a.b, read_config(child).c) == ([9], 2)
    base.unlink()
    with pytest.raises(UserError, match='names a base that is not there'):
        read_config(child)


def test_a_file_whose_bases_are_imported_is_always_read_anew(tmp_path):
    config = tmp_path / 'imports.py'
    for value in (1, 2):
        config.write_text(f'from torch.nn import Conv2d\n\nkind, value = Conv2d, {value}\n')
        assert read_config(config).value == value


def test_configs_that_plans_name_are_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = ('pipelines', 'sweeps', 'refinement')
    plans = [path for name in folders for path in (ROOT / 'configs' / name).glob('*.py')]
    named = {
        value
        for plan in plans
        for _, _, value in settings_of(read_config(plan).to_dict())
        if isinstance(value, str) and value.endswith('.py')
    }
    assert len(named) > 20
    for config in named:
        assert find_config(config).is_relative_to(INSTALLED)


def test_a_config_of_nearly_this_name_is_proposed():
    with pytest.raises(UserError) as caught:
        read_config('configs/cam/lite0_3e_weakseg-186.py')
    assert str(caught.value) == (
        'config configs/cam/lite0_3e_weakseg-186.py not found; '
        'did you mean configs/cam/lite0_3e_weakseg-168.py?'
    )


def test_links_that_git_has_not_made_are_named(tmp_path, monkeypatch):
    """As on Windows, where git may write the name of a link's target into a file."""
    (tmp_path / '.mim').mkdir()
    (tmp_path / '.mim/configs').write_text('../../configs')
    monkeypatch.setattr('mmsmoke.utils.configs.INSTALLED', tmp_path / '.mim')
    monkeypatch.setattr('mmsmoke.utils.files.INSTALLED', tmp_path / '.mim')
    message = r'\S+configs is no folder: .*core\.symlinks true'
    with pytest.raises(UserError, match=message):
        read_config('cam/x.py')


def test_views_get_other_scales_and_keep_the_rest():
    flips = [dict(type='mmcv.RandomFlip', prob=p) for p in (0.0, 1.0)]
    scales = [dict(type='mmcv.Resize', scale_factor=f, keep_ratio=True) for f in (0.75, 1.0)]
    pipeline = [dict(type='mmsmoke.LoadImage'), dict(type='T', transforms=[scales, flips])]
    load, views = rescaled(pipeline, (0.5, 1.0, 1.75))
    assert load == pipeline[0] and views['transforms'][1] == flips
    wanted = [{**scales[0], 'scale_factor': factor} for factor in (0.5, 1.0, 1.75)]
    assert views['transforms'][0] == wanted
    assert pipeline[1]['transforms'][0] == scales  # the base's own are as they were
