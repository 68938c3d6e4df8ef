import base64
import json
import re

import cv2
import numpy as np
import pytest
from fake_executor import fake_engine
from here import Here
from label_runs import label_config

from mmsmoke.experiments import cooccurrence as module
from mmsmoke.experiments.cooccurrence import cooccurrence_benchmark, with_others
from mmsmoke.reports.cooccurrence_page import write_page
from mmsmoke.utils import UserError


@pytest.fixture
def classifier(tiny_dataset, tmp_path, checkpoint, monkeypatch):
    """A config and two checkpoints; scenes are drawn below tmp_path."""
    cfg = label_config(tiny_dataset(), tmp_path / 'unused', checkpoint())
    cfg.test_cfg = dict()
    cfg.custom_hooks = []
    cfg.test_dataloader.dataset.pipeline.insert(1, dict(type='mmsmoke.LoadMask'))
    cfg.dump(str(tmp_path / 'tiny.py'))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, 'SCENES', dict(train=0, val=6, test=6, pairs=3))
    checkpoints = [tmp_path / f'{seed}.pth' for seed in range(2)]
    for path in checkpoints:
        path.write_bytes(checkpoint().read_bytes())
    return str(tmp_path / 'tiny.py'), list(map(str, checkpoints))


def test_benchmark_from_a_checkpoint_to_a_page(classifier, tmp_path, capsys):
    config, checkpoints = classifier
    arguments = (config, checkpoints, 'net', tmp_path / 'net', [0.0, 0.5], 32)
    own = cooccurrence_benchmark(*arguments, executor=Here())
    assert json.loads((tmp_path / 'net/net.json').read_text()) == own
    assert [run['variant'] for run in own['runs']] == ['net, 0', 'net, 0.5']
    assert own['curves']['lines'] == {'net': {'0': 'net, 0', '0.5': 'net, 0.5'}}
    for run in own['runs']:
        assert {'pairs/reliance', 'pairs/iou_moved'} <= set(run['splits']['pairs'])
        assert {'companion/energy', 'deployed/false_images'} <= set(run['splits']['test'])
        assert run['protocol']['threshold_split'] == 'val'
        assert run['data']['data_root'] == 'data/cooccurrence-32'
    # drawn once, tested once
    drawn = (tmp_path / 'data/cooccurrence-32/labels.csv').stat().st_mtime_ns
    capsys.readouterr()
    assert cooccurrence_benchmark(*arguments) == own
    assert 'tools/test.py' not in capsys.readouterr().out
    assert (tmp_path / 'data/cooccurrence-32/labels.csv').stat().st_mtime_ns == drawn

    other = {**own, 'runs': [{**own['runs'][0], 'variant': 'other, 0'}]}
    other['curves'] = dict(x='P', lines={'other': {'0': 'other, 0'}})
    page = tmp_path / 'page.html'
    write_page(page, with_others(own, [other]), 'Net & others', own)
    text = page.read_text()
    assert text.count('class=own') == 2 and 'other, 0' in text and 'Net &amp; others' in text
    charts = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', text)
    assert len(charts) == 4 and '>other</text>' in base64.b64decode(charts[0]).decode()
    assert not re.findall(r'(?:src|href)="(?!data:)', text)  # it needs no other file
    assert (tmp_path / 'page.png').read_bytes() == base64.b64decode(
        re.search(r'png;base64,([^"]+)"', text)[1]
    )
    png = base64.b64decode(re.search(r'png;base64,([^"]+)"', text)[1])
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 5 * (176 + 6) + 6

    # what cannot be compared is refused before anything is tested
    def compare(columns=own['columns'], **changes):
        run = {**other['runs'][0], **changes}
        cooccurrence_benchmark(*arguments, others=[{**other, 'columns': columns, 'runs': [run]}])

    compare()
    with pytest.raises(UserError, match='net has other columns'):
        compare(columns=[['a', 'test', 'a']])
    with pytest.raises(UserError, match='tested on other scenes; is its --size the same'):
        compare(data={**own['runs'][0]['data'], 'labels_sha256': 'another'})
    with pytest.raises(UserError, match='tested on other scenes; is its --size the same'):
        compare(data={**own['runs'][0]['data'], 'data_root': 'data/cooccurrence-64'})
    with pytest.raises(UserError, match=r"net has 'net, 0\.5', too; take another --name"):
        compare(variant='net, 0.5')
    with pytest.raises(UserError, match=r"net has 'other, 0', too; take another --name"):
        cooccurrence_benchmark(*arguments, others=[other, other])
    with pytest.raises(UserError, match='one of the other files has other columns'):
        cooccurrence_benchmark(*arguments, others=[dict(tables=[])])


def test_checkpoints_without_shares_are_seeds(classifier, tmp_path, monkeypatch):
    config, checkpoints = classifier
    tested = dict(
        config=dict(sha256='c'),
        checkpoint=dict(sha256='p'),
        data_root='data',
        labels_sha256='l',
        environment={},
        deterministic=False,
        protocol=dict(threshold=0.3),
        splits=dict(test={'label/accuracy': 80.0}),
    )
    fake_engine(monkeypatch, lambda *_: tested)
    own = cooccurrence_benchmark(config, checkpoints, 'net', tmp_path / 'net', size=32)
    assert [(run['variant'], run['seed']) for run in own['runs']] == [('net', 0), ('net', 1)]
    assert 'curves' not in own


def test_mistakes_are_named_before_anything_is_drawn(classifier, tmp_path):
    config, checkpoints = classifier
    with pytest.raises(UserError, match='2 checkpoints need as many shares, not 1'):
        cooccurrence_benchmark(config, checkpoints, 'net', tmp_path / 'net', [0.5])
    with pytest.raises(UserError, match=r'checkpoint none\.pth not found'):
        cooccurrence_benchmark(config, ['none.pth'], 'net', tmp_path / 'net')
    (tmp_path / 'bare.py').write_text(
        "_base_ = './tiny.py'\ntest_dataloader = dict(dataset=dict(pipeline=[]))\n"
    )
    with pytest.raises(UserError, match='loads no masks'):
        cooccurrence_benchmark(str(tmp_path / 'bare.py'), checkpoints, 'net', tmp_path / 'net')
    assert not (tmp_path / 'data').exists()
