# AFA's two thresholds: what lies between them is left out of the training of the segmentor.
custom_hooks = [dict(type='mmsmoke.PseudoLabelHook', threshold=0.55, ignore_above=0.35)]
