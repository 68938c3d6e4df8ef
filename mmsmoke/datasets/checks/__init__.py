"""Find what is wrong with a data set on disk, or looks like it."""
