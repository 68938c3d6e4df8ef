# Larger networks and photographs, on a GPU.
_base_ = './crossarch_smokestack-224.py'

work_dir = 'work_dirs/crossarch_smoke5k-224'
data_root = 'data/smoke5k-pack'
draw = dict(_delete_=True)
options = dict(data_root=data_root)
splits = ['val', 'test']
columns = [
    ('CAM IoU, val', 'val', 'cam/image_iou'),
    ('CAM IoU, test', 'test', 'cam/image_iou'),
    ('accuracy, val', 'val', 'label/accuracy'),
    ('accuracy, test', 'test', 'label/accuracy'),
]
