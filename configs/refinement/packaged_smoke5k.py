# Refiners on maps of photographs that are worth refining, those of taught students with weights
# from packages. Levels of the backgrounds were chosen on val of seed 0; the maps' own threshold is
# 0.91.
#
# python tools/compare_refiners.py configs/refinement/packaged_smoke5k.py seed-0=A.pth seed-1=B.pth
config = 'configs/crossarch/crossarch-own_lite0_dinov2-s_3e_weakseg-168.py'
data_root = 'data/smoke5k-pack'
threshold_split = 'val'
test_split = 'test'

# What the student sees of a picture is kept: each row but the first of a view takes seconds. A
# gradient needs the network itself.
vit = dict(
    type='VisionTransformer',
    arch='dinov2-small',
    img_size=224,
    patch_size=14,
    layer_scale_init_value=1e-5,
    out_type='featmap',
)
seen_once = dict(_delete_=True, type='mmsmoke.FeatureCache', backbone=vit)
options = {
    'data_root': data_root,
    'size': 224,
    'test_cfg.fp16': 'auto',
    'model.student.backbone': seen_once,
    'model.student.views': dict(recipe='acr', scales=(1, 1.25), size_divisor=14),
}
one_view = {'model.student.views': None}
mirror = {'model.student.views': dict(_delete_=True, recipe='acr')}
fusion = dict(
    options={**one_view, 'model.student.backbone': dict(_delete_=True, **vit)},
    refiners=[dict(type='mmsmoke.CAMFusionHook', layers=(-5, -4, -2, -1))],
)
crf = dict(type='mmsmoke.CRFHook', preset='translucent')
affinity_net = 'affinity/psa_lite0_3e_weakseg-168.py'
trained = dict(
    psa=dict(
        config=f'configs/{affinity_net}',
        options=mirror,
        labels=[
            dict(
                type='mmsmoke.AffinityLabelHook',
                low=dict(level=0.92),
                high=dict(level=0.75),
                preset='translucent',
            )
        ],
    )
)
affinity = dict(
    type='mmsmoke.AffinityHook', model=dict(config=affinity_net), checkpoint='{psa}', power=None
)
rows = {
    'none': dict(options=one_view),
    'mirror': dict(options=mirror),
    'mirror, two sizes': dict(),
    'fusion': fusion,
    "CRF, thesis' preset": dict(
        options=mirror, refiners=[dict(type='mmsmoke.CRFHook', preset='thesis')]
    ),
    'CRF of IRN': dict(options=mirror, refiners=[dict(type='mmsmoke.CRFHook', preset='irn')]),
    'CRF, translucent': dict(options=mirror, refiners=[crf]),
    'two sizes + CRF, translucent': dict(refiners=[crf]),
    'AffinityNet': dict(options=mirror, refiners=[affinity]),
    'CRF, translucent + AffinityNet': dict(options=mirror, refiners=[crf, affinity]),
}
baseline = 'none'
claims = [
    dict(claim='a mirror image helps', more='mirror', less='none'),
    dict(claim='two sizes help', more='mirror, two sizes', less='mirror'),
    dict(claim='fusion helps', more='fusion', less='none'),
    dict(claim="the thesis' CRF helps", more="CRF, thesis' preset", less='mirror'),
    dict(claim='the CRF for what is translucent helps', more='CRF, translucent', less='mirror'),
    dict(claim='AffinityNet helps', more='AffinityNet', less='mirror'),
    dict(
        claim='AffinityNet helps after the CRF',
        more='CRF, translucent + AffinityNet',
        less='CRF, translucent',
    ),
]
for claim in claims:
    claim['column'] = 'threshold from val'
del claim
