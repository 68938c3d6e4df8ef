from mmsmoke.lazy import lazy

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        'mmsmoke.inference.inferencer': ['SmokeInferencer'],
        'mmsmoke.experiments.pipeline': ['run_pipeline'],
    },
)
