# Pictures here are smaller than SEAM's of 448 pixels, whose second view has 0.3 of their sides.
model = dict(type='mmsmoke.SEAM', ratio=0.5)
