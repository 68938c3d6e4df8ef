from mmsmoke.lazy import lazy

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        '.ijmond': ['IJmondDataset'],
        '.rise': ['RISEDataset'],
        '.smoke5k': ['Smoke5KDataset'],
        '.transforms': [
            'LoadContext',
            'LoadImage',
            'LoadMask',
            'PackWeakSegInputs',
            'PlumeTransplant',
        ],
        '.weak_seg': ['WeakSegDataset'],
    },
)
