from importlib import import_module

# IJmond for networks whose patches have 14 pixels.
_base_ = './ijmond-512.py'

resized = import_module('mmsmoke.utils.configs').resized
size = 504
train_dataloader = resized(_base_.train_dataloader, size)
val_dataloader = resized(_base_.val_dataloader, size)
test_dataloader = resized(_base_.test_dataloader, size)
