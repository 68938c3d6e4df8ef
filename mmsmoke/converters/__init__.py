"""What the original downloads of data sets look like, and how they become the standard layout."""
