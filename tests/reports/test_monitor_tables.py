from mmsmoke.reports.monitor_tables import ways_rows


def test_a_row_says_what_was_chosen_and_what_came_of_it():
    days = [dict(found=8.0, recall=90.0, delay=30.0), dict(found=6.0, recall=100.0)]
    settings = dict(high=0.7551, low=0.0151, merge_seconds=1800.0)
    (row,) = ways_rows([dict(way='merged', settings=settings, test=days)])
    assert row['way'] == 'merged' and row['settings'] == 'high 0.76, low 0.015, merge 1800'
    assert row['events a day'] == '7.0 ± 1.4' and row['true events found, %'] == '95.0 ± 7.1'
    assert row['delay, s'] == row['events right, %'] == '–'  # not known of all days
