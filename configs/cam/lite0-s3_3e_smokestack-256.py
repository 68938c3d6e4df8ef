# The fourth stage of EfficientNet-Lite0 at stride 16 finds small plumes more exactly than the last.
_base_ = [
    '../_base_/models/lite0_cam.py',
    '../_base_/datasets/smokestack-256.py',
    '../_base_/schedules/packaged_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(backbone=dict(output_stride=16, out_indices=(3,)), head=dict(in_channels=112))
