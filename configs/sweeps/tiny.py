# Nothing to learn from: a minute's work whose numbers tests/apis/test_rerun.py does again.
_base_ = '../_base_/sweeps/evidence.py'

work_dir = 'work_dirs/tiny'
data_root = 'data/smokestack-tiny-64'
draw = {
    '_delete_': True,
    data_root: dict(preset='biased', size=64, train=64, val=16, test=16, pairs=4),
}
seeds = [0]
options = {'data_root': data_root, 'train_cfg.max_epochs': 1, 'train_cfg.val_interval': 1}
variants = dict(cnn_pcm=_base_.plain.cnn_pcm, global_cosine=_base_.teacher)
