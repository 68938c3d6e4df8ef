from .sheet import contact_sheet, overlay_mask, overlay_scores
from .table import markdown_table

__all__ = ['contact_sheet', 'markdown_table', 'overlay_mask', 'overlay_scores']
