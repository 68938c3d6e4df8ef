# The refiners of the thesis, one by one and in a row, for students on drawn scenes.
#
# python tools/compare_refiners.py configs/refinement/smokestack.py good=A.pth bad=B.pth
config = 'configs/crossarch/crossarch_r18-s-pcm_vit-xs-cls_12e_smokestack-128.py'
data_root = 'data/smokestack-biased-128'
draw = {data_root: dict(preset='biased', size=128, train=1200, val=300, test=300)}
threshold_split = 'val'
test_split = 'test'

views = {'model.student.views': dict(recipe='thesis')}
# of the six blocks of the small ViT, those at the same depths as the thesis' four of twelve
fusion = dict(type='mmsmoke.CAMFusionHook', layers=(-3, -2, -1))
crf = dict(type='mmsmoke.CRFHook', preset='thesis')
affinity_net = 'affinity/psa_resnet18-s_6e_smokestack-128.py'
trained = dict(
    psa=dict(
        config=f'configs/{affinity_net}',
        options=views,
        labels=[dict(type='mmsmoke.AffinityLabelHook')],
    )
)
affinity = dict(type='mmsmoke.AffinityHook', model=dict(config=affinity_net), checkpoint='{psa}')
sam = dict(
    type='mmsmoke.SAMHook',
    proposals=dict(type='mmsmoke.SAMProposals', checkpoint='checkpoints/sam_vit_h_4b8939.pth'),
    cache_dir='work_dirs/sam_proposals',
)
rows = {
    'none': dict(),
    'multi-scale': dict(options=views),
    'fusion': dict(refiners=[fusion]),
    'fusion, maximum': dict(refiners=[{**fusion, 'mode': 'max'}]),
    'CRF': dict(options=views, refiners=[crf]),
    'CRF, half resolution': dict(options=views, refiners=[{**crf, 'half': True}]),
    'CRF of PSA': dict(options=views, refiners=[{**crf, 'preset': 'psa'}]),
    'CRF of IRN': dict(options=views, refiners=[{**crf, 'preset': 'irn'}]),
    'fusion + CRF': dict(options=views, refiners=[fusion, crf]),
    'AffinityNet': dict(options=views, refiners=[affinity]),
    'CRF + AffinityNet': dict(options=views, refiners=[crf, affinity]),
    # left out where SAM's weights are not
    'SAM': dict(options=views, refiners=[sam]),
    'CRF + SAM': dict(options=views, refiners=[crf, sam]),
}
