"""Export segmentors to files that run without mmseg, checked against their ordinary test."""
