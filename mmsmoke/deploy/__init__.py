"""Segmentors as files that run without mmseg, checked against their ordinary test."""
