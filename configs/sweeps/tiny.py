# Nothing to learn from: a minute's work whose numbers tests/experiments/test_rerun.py does again.
_base_ = '../_base_/sweeps/evidence.py'

work_dir = 'work_dirs/tiny'
data_root = 'data/smokestack-tiny-64'
draw = {
    '_delete_': True,
    data_root: dict(preset='biased', size=64, train=64, val=16, test=16, pairs=4),
}
seeds = [0]
options = {
    'data_root': data_root,
    'test_dataloader.dataset.data_root': data_root,
    'train_cfg.max_epochs': 1,
    'train_cfg.val_interval': 1,
}
# none that jumps when one image is called otherwise
columns = [
    ('energy on chimneys', 'test', 'companion/energy'),
    ('response without smoke', 'pairs', 'pairs/response'),
    ('reliance', 'pairs', 'pairs/reliance'),
    ('smoke effect', 'pairs', 'pairs/smoke_effect'),
    ('chimney effect', 'pairs', 'pairs/chimney_effect'),
    ('oracle IoU', 'val', 'cam/image_iou_oracle'),
]
baseline = None
variants = dict(cnn_pcm=_base_.plain.cnn_pcm, global_cosine=_base_.teacher)
