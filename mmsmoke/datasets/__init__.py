from mmsmoke.lazy import lazy

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        '.clip_sampler': ['ClipSampler'],
        '.coco': ['COCODataset'],
        '.ijmond': ['IJmondDataset'],
        '.rise': ['RISEDataset'],
        '.smoke5k': ['Smoke5KDataset'],
        '.transforms': [
            'CropWithMask',
            'LoadContext',
            'LoadImage',
            'LoadMask',
            'PackWeakSegInputs',
            'PlumeTransplant',
        ],
        '.voc': ['VOCDataset'],
        '.weak_seg': ['WeakSegDataset'],
    },
)
