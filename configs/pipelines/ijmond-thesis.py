# The thesis as far as it is known: labels of three sources, a fixed threshold of 0.3, and masks of
# the very images that are tested. It trained no segmentor on them.
seeds = [0, 1, 2]

teach = dict(config='configs/cam/resnet50-pcm_2e_ijmond-thesis-512.py')
classify = dict(config='configs/crossarch/crossarch_r50-pcm_vit-b_3e_ijmond-thesis-512.py')
label = dict(refine=['multi_scale', 'crf'], split='test')

threshold_split = None
test_splits = ['test']
picture_split = 'test'
