_base_ = [
    '../_base_/models/conformer-small_transcam.py',
    '../_base_/datasets/weakseg-224.py',
    '../_base_/schedules/transformer_12e.py',
    '../_base_/classify_runtime.py',
]

optim_wrapper = dict(optimizer=dict(lr=5e-5, weight_decay=5e-4))  # TransCAM's
