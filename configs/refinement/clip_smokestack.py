# CLIP-ES, which knows more than the labels say; therefore a plan, and a table, of its own.
_base_ = ['./smokestack.py', '../_base_/refine/clip_crf.py']

clip, clip_crf = _base_.custom_hooks[:-1]
rows = dict(
    _delete_=True,
    **{
        'none': dict(),
        'CLIP': dict(refiners=[clip]),
        'CLIP + CRF': dict(refiners=[clip, clip_crf]),
    },
)
