# What the thesis aligns: the teacher's class maps, background included, with a learned read-out of
# the student's last tokens.
model = dict(
    type='mmsmoke.CrossArchDistiller',
    align='read_out',
    projection=dict(type='mmsmoke.FeatureProjection', kind='conv1x1'),
    transfer_loss=dict(type='mmsmoke.GlobalCosineTransferLoss', loss_weight=1.0),
    paradigm='teacher_student',
)
