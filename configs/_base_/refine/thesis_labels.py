# Labels that the thesis' AffinityNet learns from: one CAM, two thresholds, no CRF.
custom_hooks = [dict(type='mmsmoke.PseudoLabelHook', threshold=0.3, ignore_above=1e-4)]
