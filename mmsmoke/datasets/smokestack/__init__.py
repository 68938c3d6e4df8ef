"""Lay out, draw and write industrial scenes."""
