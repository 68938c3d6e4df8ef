"""What may be wrong with a data set on disk, and how to find it."""
