"""Drawn industrial scenes: how they are laid out, drawn and written."""
