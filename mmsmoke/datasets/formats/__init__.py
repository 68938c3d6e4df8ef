"""What the original downloads of data sets look like, and what becomes of them."""
