"""Draw industrial scenes: a layout says what stands where, and `render` makes pixels of it.

Everything is given in units of the image side, x to the right and y downwards. Only IEEE-exact
operations (no exp, BLAS or image library, and pow for the outline of cooling towers alone) lie
between a layout and its pixels, so that a layout gives the same bytes on every machine. Every step
after the plumes works pixel by pixel: taking a plume away changes no pixel outside its opacity.
"""
