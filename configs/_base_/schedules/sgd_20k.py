# DeepLab's in the literature of weak supervision: SGD, a learning rate that falls to zero as a
# polynomial, new layers ten times as fast, biases without decay and twice as fast as weights, but
# for those of norms. It counts iterations instead of epochs, hooks and log do too.
_base_ = '../segment_runtime.py'

biases = {  # of a convolution that classifies, or of each of DeepLabV2's four
    f'decode_head.conv_seg.{name}': dict(lr_mult=20.0, decay_mult=0.0)
    for name in ('bias', '0.bias', '1.bias', '2.bias', '3.bias')
}
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(
        bias_lr_mult=2.0,
        bias_decay_mult=0.0,
        custom_keys={'decode_head': dict(lr_mult=10.0), **biases},
    ),
)
del biases
param_scheduler = [dict(type='PolyLR', power=0.9, begin=0, end=20000, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=20000, val_interval=2000)
default_hooks = dict(
    logger=dict(interval=50, log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=2000),
)
log_processor = dict(by_epoch=False)
