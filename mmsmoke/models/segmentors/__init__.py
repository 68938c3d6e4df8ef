from .mean_tta import MeanTTA

__all__ = ['MeanTTA']
