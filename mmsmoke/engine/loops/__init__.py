from .pseudo_label_loop import PseudoLabelLoop
from .refined_test_loop import RefinedTestLoop
