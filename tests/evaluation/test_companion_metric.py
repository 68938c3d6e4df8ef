import math

import pytest
import torch

from mmsmoke.evaluation import CompanionMetric
from mmsmoke.functional import IGNORE

SMOKE, CHIMNEY = (slice(0, 2), slice(0, 4)), (slice(4, 8), slice(4, 6))


def sample(
    name, on_smoke=0.0, on_chimney=0.0, elsewhere=0.0, smoke=True, chimney=True, probability=0.9
):
    cams = torch.full((1, 8, 8), elsewhere)
    cams[0][SMOKE], cams[0][CHIMNEY] = on_smoke, on_chimney
    truth, context = torch.zeros(2, 1, 8, 8, dtype=torch.long)
    truth[0][SMOKE], context[0][CHIMNEY] = int(smoke), int(chimney)
    return dict(
        image=name,
        cams=cams,
        pred_score=torch.tensor([probability]),
        gt_sem_seg=dict(data=truth),
        gt_context=dict(data=context),
    )


def evaluate(*samples, threshold=0.5, **kwargs):
    metric = CompanionMetric(threshold, **kwargs)
    metric.dataset_meta = dict(classes=('background', 'smoke'))
    metric.process({}, samples)
    found = metric.evaluate(len(samples))
    return {name.removeprefix('companion/'): value for name, value in found.items()}


def test_maps_on_smoke_alone():
    found = evaluate(sample('a', on_smoke=3.0))
    assert found == dict(energy=0, pointing=100, confusion=0, confused_pixels=0)


def test_maps_on_chimneys_alone():
    found = evaluate(sample('a', on_chimney=3.0))
    # nothing is predicted right, so there is no ratio
    assert found == dict(energy=100, pointing=0, confused_pixels=100)


def test_maps_on_both():
    found = evaluate(sample('a', on_smoke=2.0, on_chimney=1.2, elsewhere=0.0))
    assert found['energy'] == pytest.approx(100 * 1.2 / 3.2)
    assert found['pointing'] == found['confusion'] == found['confused_pixels'] == 100
    # the ratio is pooled: another image that is right halves it
    again = evaluate(
        sample('a', on_smoke=2.0, on_chimney=1.2), sample('b', on_smoke=2.0, on_chimney=0.1)
    )
    assert again['confusion'] == again['confused_pixels'] == 50


def test_what_is_right_counts_in_images_without_chimneys_too():
    confused = sample('a', on_smoke=2.0, on_chimney=1.2)
    right = sample('b', on_smoke=2.0, chimney=False)
    assert evaluate(confused)['confusion'] == 100
    found = evaluate(confused, right)
    assert found['confusion'] == 50 and found['confused_pixels'] == 100
    assert found['energy'] == pytest.approx(100 * 1.2 / 3.2)  # of the former alone
    assert evaluate(right) == {}
    del right['gt_context']  # nobody knows whether there are any
    assert evaluate(confused, right)['confusion'] == 100


def test_energy_is_that_of_the_map_as_it_is():
    """min-max would take away what is everywhere."""
    found = evaluate(sample('a', on_smoke=3.0, on_chimney=2.0, elsewhere=1.0))
    total = 3.0 * 8 + 2.0 * 8 + 1.0 * 48
    assert found['energy'] == pytest.approx(100 * 2.0 * 8 / total)


def test_response_to_a_chimney_alone_is_not_normalised():
    both = sample('a', on_smoke=4.0)
    weak, strong = (
        sample(name, on_chimney=value, smoke=False) for name, value in (('b', 0.4), ('c', 4.0))
    )
    assert evaluate(both, weak)['response'] == pytest.approx(10)
    assert evaluate(both, strong)['response'] == pytest.approx(100)
    # it says nothing about maps of images with smoke
    assert evaluate(both, strong)['energy'] == 0


def test_chimneys_of_clear_images_that_are_called_smoke_are_confused():
    both = sample('a', on_smoke=4.0)
    called = sample('b', on_chimney=1.0, smoke=False)
    assert evaluate(both, called)['confused_pixels'] == 50
    assert evaluate(both, called)['confusion'] == 100
    not_called = sample('b', on_chimney=1.0, smoke=False, probability=0.4)
    assert evaluate(both, not_called)['confusion'] == 0


def test_smoke_in_front_of_chimneys_and_unknown_pixels_are_no_chimney():
    one = sample('a', on_smoke=2.0, on_chimney=2.0)
    truth = one['gt_sem_seg']['data'][0]
    truth[4:8, 4] = 1  # smoke hides half of the chimney
    found = evaluate(one)
    assert found['confused_pixels'] == 100
    assert found['energy'] == pytest.approx(100 * 4 / 16)
    truth[4:8, 4] = 0
    truth[4:8, 5] = IGNORE
    found = evaluate(one)
    assert found['confused_pixels'] == 100
    assert found['energy'] == pytest.approx(100 * 4 / 12)
    truth[4:8] = IGNORE
    assert evaluate(one) == {}


def test_empty_maps_point_nowhere_and_have_no_response():
    found = evaluate(sample('a'), sample('b', on_chimney=1.0, smoke=False, probability=0.1))
    assert found == dict(pointing=0, confused_pixels=0)


def test_several_classes_have_numbers_of_their_own():
    one = sample('a', on_smoke=2.0)
    one['cams'] = torch.cat([one['cams'], sample('a', on_chimney=1.0)['cams']])
    one['pred_score'] = torch.tensor([0.9, 0.9])
    one['gt_sem_seg']['data'][0, 7, 0] = 2
    metric = CompanionMetric(0.5)
    metric.dataset_meta = dict(classes=('background', 'smoke', 'steam'))
    metric.process({}, [one])
    found = metric.evaluate(1)
    assert found['companion/energy_smoke'] == 0 and found['companion/energy_steam'] == 100
    assert found['companion/energy'] == 50
    assert found['companion/confused_pixels_steam'] == 100


def test_images_without_companions_count_for_nothing():
    one = sample('a', on_smoke=2.0, on_chimney=1.0)
    bare = sample('b', elsewhere=5.0, chimney=False)
    unknown = {**sample('c', elsewhere=5.0)}
    del unknown['gt_context']
    assert evaluate(one, bare, unknown) == evaluate(one)
    assert evaluate(bare, unknown) == {}


def test_without_a_threshold_there_is_no_confusion():
    found = evaluate(sample('a', on_smoke=2.0, on_chimney=1.0), threshold=None)
    assert set(found) == {'energy', 'pointing'}


def test_two_processes_give_the_numbers_of_one():
    samples = [sample(str(i), on_smoke=1.0 + i, on_chimney=2.0, smoke=i % 3 > 0) for i in range(7)]
    metrics = [CompanionMetric(0.5) for _ in range(2)]
    for rank, metric in enumerate(metrics):
        metric.process({}, samples[rank::2] + samples[:1])
    metrics[0].results += metrics[1].results
    found = metrics[0].evaluate(7)
    assert found == {f'companion/{name}': value for name, value in evaluate(*samples).items()}
    assert all(math.isfinite(value) for value in found.values())


def test_masks_are_judged_by_their_confusion_alone():
    one, other = sample('a'), sample('b')
    for given, places in ((one, [SMOKE, CHIMNEY]), (other, [SMOKE])):
        mask = torch.zeros(1, 8, 8)
        for place in places:
            mask[0][place] = 1
        given['pred_sem_seg'] = dict(data=mask)
    assert evaluate(one, other, source='mask') == dict(confusion=50, confused_pixels=50)


def test_another_source_is_refused():
    with pytest.raises(ValueError, match="source must be 'cams' or 'mask', got 'scores'"):
        CompanionMetric(source='scores')


def test_maps_that_are_scores_already_have_no_energy_and_no_response(monkeypatch):
    said = []
    monkeypatch.setattr(CompanionMetric, 'warn', lambda _, message: said.append(message))
    alone = sample('b', on_chimney=1.0, smoke=False)
    raw = [sample('a', on_smoke=2.0, on_chimney=1.0), alone]
    scores = [sample('c', on_smoke=1.0, on_chimney=0.9), {**alone, 'image': 'd'}]
    for one in scores:
        one['cam_normalize'] = 'none'
    expected = evaluate(*raw)
    assert not said
    found = evaluate(*raw, *scores)
    assert len(said) == 1 and 'energy and response: 2 of 4 images are left out' in said[0]
    for name in ('energy', 'response'):
        assert found[name] == expected[name]
    assert found['pointing'] == 100
    assert not {'energy', 'response'} & set(evaluate(*scores))
