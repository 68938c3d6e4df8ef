"""Name the values of masks: 0 is the background, k + 1 is class k, and 255 is neither."""

IGNORE = 255
"""Value of pixels of which nobody knows, or wants to know, what they show."""
