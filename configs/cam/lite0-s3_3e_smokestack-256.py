from importlib import import_module

# The fourth stage of EfficientNet-Lite0 at stride 16 finds small plumes more exactly than the last.
# Scenes of 128 px are enlarged: the maps are finer then.
_base_ = [
    '../_base_/models/lite0_cam.py',
    '../_base_/datasets/smokestack.py',
    '../_base_/schedules/packaged_3e.py',
    '../_base_/classify_runtime.py',
]

resized = import_module('mmsmoke.utils.configs').resized
model = dict(backbone=dict(output_stride=16, out_indices=(3,)), head=dict(in_channels=112))
size = 256
train_dataloader = resized(_base_.train_dataloader, size)
val_dataloader = resized(_base_.val_dataloader, size)
test_dataloader = resized(_base_.test_dataloader, size)
