# At stride 32 a scene would have 16 places.
_base_ = [
    '../_base_/models/lite0-pcm_cam.py',
    '../_base_/datasets/smokestack-126.py',
    '../_base_/schedules/packaged_3e.py',
    '../_base_/classify_runtime.py',
]

model = dict(backbone=dict(output_stride=16))
