# The method with weights from packages, on drawn scenes: the three main rows. All are tested on the
# scenes of tools/cooccurrence_benchmark.py, too.
_base_ = ['../_base_/sweeps/packaged.py', '../_base_/sweeps/companion.py']

configs = dict(
    lite0='configs/cam/lite0_3e_smokestack-126.py',
    vit='configs/cam/dinov2-s_3e_smokestack-126.py',
    own_maps='configs/crossarch/crossarch-own_lite0_dinov2-s_3e_smokestack-126.py',
)
work_dir = 'work_dirs/packaged_smokestack'
data_root = 'data/smokestack-biased-126'
tested_on = 'data/cooccurrence-126'
draw = {
    data_root: dict(preset='biased', size=126, train=1200, val=300, test=300),
    tested_on: dict(preset='easy', size=126, train=0, val=300, test=300, pairs=200),
}
options = {'test_dataloader.dataset.data_root': tested_on}
variants = dict(**_base_.main_rows)
splits = _base_.companion.splits
columns = _base_.companion.columns
claims = [
    dict(claim='the student beats its teacher', more='own_maps', less='lite0', column='CAM IoU'),
    dict(claim='the student beats the plain ViT', more='own_maps', less='vit', column='CAM IoU'),
    dict(
        claim='the student is the better classifier than its teacher',
        more='own_maps',
        less='lite0',
        column='accuracy',
    ),
    dict(
        claim='the taught ViT leans less on chimneys than the plain one, P = 0.1',
        more='vit',
        less='own_maps',
        column='chimney called smoke',
    ),
    dict(
        claim='the student is less often fooled by chimneys than its teacher',
        more='lite0',
        less='own_maps',
        column='chimney called smoke',
    ),
]
