# The demo over three seeds, with a round of self-training and the upper bound of true masks.
_base_ = './smokestack_demo.py'

seeds = [0, 1, 2]
self_training = dict(rounds=1)
full = dict(
    config='configs/segmentors/mlp_r18-s_6e_smokestack-128_full.py',
)
