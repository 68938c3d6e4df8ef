"""Put trained models to work on pictures, folders, videos and cameras."""

from mmsmoke.lazy import lazy

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {'.inferencer': ['SmokeInferencer'], '.monitor': ['CameraMonitor']},
)
