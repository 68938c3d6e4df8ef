"""Trained models at work: on pictures, folders and videos."""
