"""What the values of masks mean: 0 is the background, k + 1 class k, and one is neither."""

IGNORE = 255
"""Value of pixels of which nobody knows, or wants to know, what they show."""
