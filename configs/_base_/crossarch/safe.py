# The thesis' arrangement without its trap: the teacher's background channel, which nothing trains,
# is left out. Option: transfer_loss=dict(center=True), so that a constant map scores nothing.
_base_ = './repro.py'

model = dict(transfer_loss=dict(channels='fg'))
