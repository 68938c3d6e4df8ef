# On a GPU: the same on drawn scenes of 224 pixels.
_base_ = './crossarch_smoke5k-224.py'

work_dir = 'work_dirs/crossarch_smokestack-224'
data_root = 'data/smokestack-biased-224'
draw = {data_root: dict(preset='biased', size=224, train=3000, val=300, test=300)}
options = dict(data_root=data_root)
splits = ['val', 'test', 'chimney_only', 'smoke_only']
columns = [
    ('CAM IoU, val', 'val', 'cam/image_iou'),
    ('CAM IoU, test', 'test', 'cam/image_iou'),
    ('CAM IoU, smoke_only', 'smoke_only', 'cam/image_iou'),
    ('accuracy, val', 'val', 'label/accuracy'),
    ('accuracy, chimney_only', 'chimney_only', 'label/accuracy'),
    ('accuracy, smoke_only', 'smoke_only', 'label/accuracy'),
]
