# Training of an AffinityNet, between stages 2 and 3. Nothing is validated: no label tells which
# affinities are right, and the last epoch counts.
_base_ = './default_runtime.py'

default_hooks = dict(checkpoint=dict(save_best=None))
