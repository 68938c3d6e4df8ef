"""Label pictures, correct masks and draw zones by keyboard, in a page on this machine."""
