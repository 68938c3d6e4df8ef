# What the sweeps behind docs/results.md have in common; they share their runs. Small pictures and
# networks, so that five seeds of everything fit two CPU cores in hours; float32, which gives the
# same numbers on any CPU but for rounding.
config = 'distiller'
configs = dict(
    distiller='configs/crossarch/crossarch_r18-s-pcm_vit-xxs-cls_12e_smokestack-64.py',
    own_maps='configs/crossarch/crossarch-own_r18-s-pcm_vit-xxs_12e_smokestack-64.py',
    cnn_pcm='configs/cam/resnet18-s-pcm_12e_smokestack-64.py',
    vit='configs/cam/vit-xxs-cls_12e_smokestack-64.py',
)
work_dir = 'work_dirs/evidence'
data_root = 'data/smokestack-biased-64'
scenes = dict(size=64, train=1200, val=300, test=300)
# all are tested on the scenes of tools/cooccurrence_benchmark.py, however they were trained
tested_on = 'data/cooccurrence-64'
draw = {
    data_root: dict(preset='biased', **scenes),
    tested_on: dict(preset='easy', size=64, train=0, val=300, test=300, pairs=200),
}
seeds = [0, 1, 2, 3, 4]
options = {
    # the classifier that somebody without any mask would keep
    'default_hooks.checkpoint.save_best': 'label/accuracy',
    'train_cfg.val_interval': 3,
    'test_dataloader.dataset.data_root': tested_on,
}
plain = dict(cnn_pcm=dict(config='cnn_pcm'), vit=dict(config='vit'))
teacher = {'model.teacher.init_cfg.checkpoint': '{best:cnn_pcm}'}
own_maps = {**teacher, 'config': 'own_maps'}
# as the thesis trained both: gradients into both, and a lambda of 0.5
co_training = {
    'model.paradigm': 'co_training',
    'model.detach': 'none',
    'model.transfer_loss.loss_weight': 0.5,
    'model.teacher.init_cfg': None,
}
baseline = 'vit'
splits = ['val', 'test', 'pairs']
threshold_split = 'val'
columns = [
    ('CAM IoU, val', 'val', 'cam/image_iou'),
    ('CAM IoU', 'test', 'cam/image_iou'),
    ('accuracy', 'test', 'label/accuracy'),
    ('reliance', 'pairs', 'pairs/reliance'),
    ('chimney called smoke', 'pairs', 'pairs/called_chimney'),
    ('CAM IoU, smoke moved', 'pairs', 'pairs/iou_moved'),
    ('confusion', 'test', 'companion/confusion'),
]
# the same on a GPU: ResNet-50 and DeiT-S at 224 pixels, from scratch
scenes_224 = dict(size=224, train=3000, val=300, test=300)
data_root_224, tested_on_224 = 'data/smokestack-biased-224-3000', 'data/cooccurrence-224'
scales = {
    '224': dict(
        configs=dict(
            distiller='configs/crossarch/crossarch_r50-pcm_deit-s-cls_scratch-40e_weakseg-224.py',
            own_maps='configs/crossarch/crossarch-own_r50-pcm_deit-s_scratch-40e_weakseg-224.py',
            cnn_pcm='configs/cam/resnet50-pcm_scratch-40e_weakseg-224.py',
            vit='configs/cam/deit-small-cls_scratch-40e_weakseg-224.py',
        ),
        work_dir='work_dirs/evidence-224',
        data_root=data_root_224,
        draw={
            '_delete_': True,
            data_root_224: dict(preset='biased', **scenes_224),
            tested_on_224: dict(preset='easy', size=224, train=0, val=300, test=300, pairs=200),
        },
        options={
            'data_root': data_root_224,
            'train_cfg.val_interval': 4,
            'train_dataloader.batch_size': 64,
            'train_dataloader.num_workers': 8,
            'test_dataloader.dataset.data_root': tested_on_224,
        },
    ),
}
