# Ours: the student's own class maps are aligned, so the map that is read later is the map that was
# steered. Foreground channels only, hence nothing to project.
_base_ = './repro.py'

model = dict(align='class_maps', projection=None)
