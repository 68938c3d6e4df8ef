# Photographs of the SMOKE5K pack on a CPU. No CRF: see docs/segmentors.md. A round of self-training
# and the upper bound of true masks, three seeds.
_base_ = './weakseg-112.py'

data_root = 'data/smoke5k-pack'
seeds = [0, 1, 2]
self_training = dict(rounds=1)
full = dict()
