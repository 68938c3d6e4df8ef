"""Watch cameras for as long as they run, and write down events of smoke."""

from mmsmoke.lazy import lazy

__all__, __getattr__, __dir__ = lazy(__name__, {'.monitor': ['CameraMonitor']})
