# The same, trained on windows of the tested panoramas, too: the thesis' T1 + T2.
_base_ = [
    '../_base_/crossarch/repro_r50-pcm_vit-b.py',
    '../_base_/datasets/ijmond-thesis-t2-512.py',
    '../_base_/schedules/thesis_3e.py',
    '../_base_/classify_runtime.py',
]

teacher = 'work_dirs/resnet50-pcm_2e_ijmond-thesis-t2-512/epoch_2.pth'
model = dict(teacher=dict(init_cfg=dict(checkpoint=teacher)))
