from .pseudo_label_loop import PseudoLabelLoop
