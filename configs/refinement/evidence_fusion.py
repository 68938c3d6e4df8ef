# Does fusion of layers help maps that are bad and harm those that are good? Of the students of
# configs/sweeps/crossarch_grid.py, one seed at a time, for tools/analysis/compare_halves.py.
_base_ = './evidence.py'

rows = {'_delete_': True, 'none': dict(), 'fusion': dict(refiners=[_base_.fusion])}
baseline, claims = None, []  # these students are no seeds of one method
