from .line_chart import charted, line_chart
from .sheet import contact_sheet, framed, overlay_mask, overlay_scores
from .table import markdown_table, rows_table
