"""Turn the original downloads of data sets into the standard layout."""
