# What all sweeps of the distiller on drawn scenes have in common; they share their runs.
config = 'configs/crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_smokestack-128.py'
work_dir = 'work_dirs/crossarch_smokestack'
data_root = 'data/smokestack-biased-128'
draw = {data_root: dict(preset='biased', size=128, train=1200, val=300, test=300)}
seeds = [0, 1, 2]
options = {
    # the classifier that somebody without any mask would keep
    'default_hooks.checkpoint.save_best': 'label/accuracy',
    # bfloat16: twice as fast where the CPU has it
    'optim_wrapper.type': 'mmsmoke.AutocastOptimWrapper',
    'train_cfg.val_interval': 3,
}
plain = dict(cnn_pcm=dict(config='configs/cam/resnet18-s-pcm_12e_smokestack-128.py'))
teacher = {'model.teacher.init_cfg.checkpoint': '{best:cnn_pcm}'}
own_maps = {
    **teacher,
    'config': 'configs/crossarch/crossarch-own_r18-s-pcm_vit-xs_12e_smokestack-128.py',
}
# as the thesis trained both: gradients into both, and a lambda of 0.5
co_training = {
    'model.paradigm': 'co_training',
    'model.detach': 'none',
    'model.transfer_loss.loss_weight': 0.5,
    'model.teacher.init_cfg': None,
}
splits = ['val', 'test', 'chimney_only', 'smoke_only']
threshold_split = 'val'
columns = [
    ('CAM IoU, val', 'val', 'cam/image_iou'),
    ('CAM IoU, test', 'test', 'cam/image_iou'),
    ('CAM IoU, smoke_only', 'smoke_only', 'cam/image_iou'),
    ('accuracy, val', 'val', 'label/accuracy'),
    ('accuracy, chimney_only', 'chimney_only', 'label/accuracy'),
    ('accuracy, smoke_only', 'smoke_only', 'label/accuracy'),
]
# the same on a GPU: ResNet-50, DeiT-S and ViT-B at 224 pixels, from scratch
_own = 'configs/crossarch/crossarch-own_r50-pcm_deit-s_scratch-40e_weakseg-224.py'
_vit = 'configs/cam/deit-small-cls_scratch-40e_weakseg-224.py'
options_224 = {
    'train_dataloader.batch_size': 64,
    'train_dataloader.num_workers': 8,
    'train_cfg.val_interval': 4,
}
variants_224 = dict(
    cnn=dict(config='configs/cam/resnet50_scratch-40e_weakseg-224.py'),
    cnn_pcm=dict(config='configs/cam/resnet50-pcm_scratch-40e_weakseg-224.py'),
    vit=dict(config=_vit),
    vit_patches=dict(config='configs/cam/vit-small_scratch-40e_weakseg-224.py'),
    own_maps=dict(config=_own),
    own_maps_uncentred=dict(config=_own),
    vit_b={'config': _vit, 'model.backbone.arch': 'base', 'model.head.in_channels': 768},
    global_cosine_vit_b={
        'model.teacher.init_cfg.checkpoint': '{best:cnn_pcm}',
        'model.student.backbone.arch': 'base',
        'model.student.head.in_channels': 768,
    },
)
del _own, _vit
