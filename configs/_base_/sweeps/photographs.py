# What a sweep on photographs shows: there are no scenes without the chimney, or without the smoke.
photographs = dict(
    splits=['val', 'test'],
    columns=[
        ('CAM IoU, val', 'val', 'cam/image_iou'),
        ('CAM IoU, test', 'test', 'cam/image_iou'),
        ('accuracy, val', 'val', 'label/accuracy'),
        ('accuracy, test', 'test', 'label/accuracy'),
    ],
)
