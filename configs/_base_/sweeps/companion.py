# What shows how much a classifier leans on chimneys, on data drawn with exact pairs.
companion = dict(
    splits=['val', 'test', 'pairs'],
    threshold_split='val',
    columns=[
        ('accuracy', 'test', 'label/accuracy'),
        ('CAM IoU', 'test', 'cam/image_iou'),
        ('false alarms', 'test', 'deployed/false_images'),
        ('reliance', 'pairs', 'pairs/reliance'),
        ('chimney called smoke', 'pairs', 'pairs/called_chimney'),
        ('flips without smoke', 'pairs', 'pairs/flips_no_smoke'),
        ('flips without chimney', 'pairs', 'pairs/flips_no_chimney'),
        ('response without smoke', 'pairs', 'pairs/response'),
        ('CAM IoU, smoke moved', 'pairs', 'pairs/iou_moved'),
        ('same map', 'pairs', 'pairs/same_map'),
        ('confusion', 'test', 'companion/confusion'),
        ('energy on chimneys', 'test', 'companion/energy'),
        ('pointing', 'test', 'companion/pointing'),
    ],
    # of sweeps of remedies
    remedy_columns=[
        ('accuracy', 'test', 'label/accuracy'),
        ('reliance', 'pairs', 'pairs/reliance'),
        ('chimney called smoke', 'pairs', 'pairs/called_chimney'),
        ('neither called smoke', 'pairs', 'pairs/called_neither'),
        ('smoke without chimney found', 'pairs', 'pairs/called_smoke'),
        ('CAM IoU', 'test', 'cam/image_iou'),
        ('CAM IoU, smoke without chimney', 'pairs', 'pairs/iou_smoke'),
        ('CAM IoU, smoke moved', 'pairs', 'pairs/iou_moved'),
        ('same map', 'pairs', 'pairs/same_map'),
    ],
)
