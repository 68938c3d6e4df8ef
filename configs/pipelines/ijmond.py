# IJmond, the clean protocol: a CNN teaches a ViT, a dense CRF refines its maps, DeepLabV3+ learns
# from the masks. Thresholds are chosen on recordings that nothing was trained on.
data_root = 'data/ijmond-clean'
seeds = [0, 1, 2]

teach = dict(config='configs/cam/resnet50-pcm_2e_ijmond-512.py')
classify = dict(config='configs/crossarch/crossarch_r50-pcm_vit-b_3e_ijmond-512.py')
label = dict(refine=['multi_scale', 'crf'])
segment = dict(config='configs/segmentors/deeplabv3plus_r50_12e_ijmond-512.py')
self_training = dict(rounds=0)
full = dict()

threshold_split = 'val'
test_splits = ['test']
picture_split = 'test'
