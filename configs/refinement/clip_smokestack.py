# CLIP-ES, which knows more than the labels say; therefore a plan, and a table, of its own.
_base_ = './smokestack.py'

rows = dict(
    _delete_=True,
    **{
        'none': dict(),
        'CLIP': dict(refiners=['clip']),
        'CLIP + CRF': dict(refiners=['clip_crf']),
    },
)
