# Of EfficientNet-Lite0 its fourth stage, at stride 16: a small scene is seen finer so, and as well.
_base_ = [
    '../_base_/models/lite0_cam.py',
    '../_base_/datasets/smokestack.py',
    '../_base_/schedules/packaged_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(backbone=dict(output_stride=16, out_indices=(3,)), head=dict(in_channels=112))
