import pytest
import torch

from mmsmoke.evaluation import CounterfactualMetric
from mmsmoke.evaluation.counterfactual_metric import KINDS

PLUME, STACK, ELSEWHERE = (slice(0, 2), slice(0, 6)), (slice(2, 8), slice(5, 6)), (slice(5, 8),)


def scene(number, kind):
    """Where smoke and chimney are, [2, 8, 8]."""
    maps = torch.zeros(2, 8, 8)
    if kind in ('both', 'smoke', 'moved'):
        maps[0][ELSEWHERE if kind == 'moved' else PLUME] = 1 + number / 10
    if kind in ('both', 'chimney', 'moved'):
        maps[1][STACK] = 1
    return maps


def samples_of(model, count=4):
    """What a model that sees where smoke and chimney are makes of so many scenes."""
    for number in range(count):
        for kind in KINDS:
            maps = scene(number, kind)
            logit, cams = model(*maps)
            yield dict(
                image=f'{number} {kind}',
                columns=dict(scene=str(number), kind=kind),
                pred_score=torch.tensor([logit]).sigmoid(),
                cams=cams[None],
                gt_sem_seg=dict(data=(maps[:1] > 0).long()),
                gt_context=dict(data=((maps[1:] > 0) & (maps[:1] == 0)).long()),
            )


def evaluate(samples, threshold=0.5, **settings):
    metric = CounterfactualMetric(threshold, **settings)
    metric.dataset_meta = dict(classes=('background', 'smoke'))
    metric.process({}, list(samples))
    found = metric.evaluate(99)
    return {name.removeprefix('pairs/'): value for name, value in found.items()}


def reads_smoke(smoke, chimney):
    return float(smoke.max()) * 4 - 2, smoke


def reads_chimneys(smoke, chimney):
    return float(chimney.max()) * 4 - 2, chimney


def test_classifier_that_reads_smoke():
    found = evaluate(samples_of(reads_smoke))
    assert found['chimney_effect'] == pytest.approx(0, abs=1e-5)
    assert found['smoke_effect'] == pytest.approx(4 * 1.15, abs=1e-4)
    assert found['reliance'] == pytest.approx(0, abs=1e-4)
    assert [found[f'called_{kind}'] for kind in KINDS] == [100, 100, 0, 0, 100]
    assert found['flips_no_smoke'] == 100
    assert found['flips_no_chimney'] == found['flips_moved'] == found['response'] == 0
    assert found['same_map'] == found['iou_both'] == found['iou_smoke'] == found['iou_moved'] == 100


def test_classifier_that_reads_chimneys():
    found = evaluate(samples_of(reads_chimneys))
    assert found['smoke_effect'] == pytest.approx(0, abs=1e-5)
    assert found['chimney_effect'] == pytest.approx(4, abs=1e-4)
    assert found['reliance'] == pytest.approx(100, abs=1e-4)
    assert [found[f'called_{kind}'] for kind in KINDS] == [100, 0, 100, 0, 100]
    assert found['flips_no_smoke'] == 0 and found['flips_no_chimney'] == 100
    assert found['response'] == found['chimney_response'] == 100 and found['same_map'] == 0
    assert found['iou_both'] < 10


def test_classifier_that_needs_both_leans_half_on_each():
    found = evaluate(samples_of(lambda s, c: (4.0 * bool(s.any() and c.any()) - 2, s + c)))
    assert found['reliance'] == pytest.approx(50)
    assert found['flips_no_smoke'] == found['flips_no_chimney'] == 100


def masks_of(model):
    """Yield the scenes with the masks of a segmentor that sees where smoke and chimney are."""
    for sample in samples_of(lambda *maps: (0.0, model(*maps))):
        yield {**sample, 'pred_sem_seg': dict(data=(sample['cams'] > 0).long())}


def test_segmentors_outline_what_they_read():
    found = evaluate(masks_of(lambda smoke, _: smoke), None, source='mask')
    assert [found[f'outlined_{kind}'] for kind in KINDS] == [100, 100, 0, 0, 100]
    assert found['iou_smoke'] == found['iou_moved'] == found['same_map'] == 100
    found = evaluate(masks_of(lambda _, chimney: chimney), None, source='mask')
    assert [found[f'outlined_{kind}'] for kind in KINDS] == [100, 0, 100, 0, 100]
    assert found['iou_smoke'] == found['same_map'] == 0
    assert not {'reliance', 'called_chimney', 'response'} & set(found)  # masks have no logits


def test_a_segmentor_outlines_nothing_below_a_thousandth_of_the_pixels():
    def samples(pixels):
        for kind in KINDS:
            mask = torch.zeros(1, 100, 100, dtype=torch.long)
            mask[0, 0, :pixels] = 1
            yield dict(
                image=kind,
                columns=dict(scene='1', kind=kind),
                pred_sem_seg=dict(data=mask),
                gt_sem_seg=dict(data=torch.zeros_like(mask)),
            )

    assert evaluate(samples(10), source='mask')['outlined_chimney'] == 0
    assert evaluate(samples(11), source='mask')['outlined_chimney'] == 100


def test_a_source_that_does_not_exist():
    with pytest.raises(ValueError, match="'scores' or 'mask', got 'masks'"):
        CounterfactualMetric(source='masks')


def test_interval_of_the_reliance_holds_it():
    generator = torch.Generator().manual_seed(0)

    def noisy(smoke, chimney):
        noise = float(torch.randn(1, generator=generator))
        return 3.0 * bool(smoke.any()) + 1.0 * bool(chimney.any()) - 2 + noise, smoke + chimney

    found = evaluate(samples_of(noisy, 30))
    for name in ('reliance', 'smoke_effect', 'chimney_effect'):
        assert found[f'{name}_low'] < found[name] < found[f'{name}_high']
    assert found['reliance'] == pytest.approx(25, abs=5)


def test_change_of_the_logit():
    found = evaluate(samples_of(reads_smoke))
    assert found['delta_no_chimney'] == pytest.approx(0, abs=1e-5)
    assert found['delta_moved'] == pytest.approx(0, abs=1e-5)
    assert found['delta_no_smoke'] == pytest.approx(-4 * 1.15, abs=1e-4)
    found = evaluate(samples_of(reads_chimneys))
    assert found['delta_no_chimney'] == pytest.approx(-4, abs=1e-4)
    assert found['delta_no_smoke'] == pytest.approx(0, abs=1e-5)
    # what a cause does beside the other is no average over both contexts
    found = evaluate(samples_of(lambda s, c: (5.0 * bool(s.any() and c.any()), s)))
    assert found['delta_no_chimney'] == pytest.approx(-5, abs=1e-4)
    assert found['chimney_effect'] == pytest.approx(2.5, abs=1e-4)
    assert found['delta_moved_low'] <= found['delta_moved'] <= found['delta_moved_high']


def test_recall_of_smoke_that_left_its_chimney():
    assert evaluate(samples_of(reads_smoke))['recall_moved'] == pytest.approx(100)
    chimneys = evaluate(samples_of(reads_chimneys))
    assert chimneys['recall_moved'] < 15  # where they cross


def test_reliance_is_a_share_even_if_an_effect_is_negative_or_both_are_small():
    found = evaluate(samples_of(lambda s, c: (2.0 * bool(s.any()) - 1.0 * bool(c.any()), s)))
    assert found['chimney_effect'] == pytest.approx(-1)
    assert found['reliance'] == pytest.approx(100 / 3)
    generator = torch.Generator().manual_seed(0)
    noise = evaluate(
        samples_of(lambda s, c: (0.01 * float(torch.randn(1, generator=generator)), s), 20)
    )
    ends = noise['reliance_low'], noise['reliance'], noise['reliance_high']
    assert all(0 <= end <= 100 for end in ends)
    nothing = evaluate(samples_of(lambda s, c: (0.0, 0 * s)))
    assert 'reliance' not in nothing and 'response' not in nothing


def test_activation_that_moves_to_the_chimney_shows():
    """Without smoke the map of this one is three times as strong on chimneys."""
    found = evaluate(samples_of(lambda s, c: (1.0, c if s.any() else 3 * c)))
    assert found['chimney_response'] == pytest.approx(300)


def test_maps_that_are_scores_already_have_no_response(monkeypatch):
    said = []
    monkeypatch.setattr(CounterfactualMetric, 'warn', lambda _, message: said.append(message))
    raw = evaluate(samples_of(reads_smoke))
    scores = evaluate({**sample, 'cam_normalize': 'none'} for sample in samples_of(reads_smoke))
    lost = {'response', 'chimney_response'}
    assert lost & set(raw) and not lost & set(scores)
    assert scores['iou_both'] == raw['iou_both'] and scores['reliance'] == raw['reliance']
    assert len(said) == 1 and '20 of 20 images are left out' in said[0]


def test_several_classes_have_numbers_of_their_own():
    samples = []
    for smoke, chimney in zip(samples_of(reads_smoke), samples_of(reads_chimneys), strict=True):
        smoke['pred_score'] = torch.cat([smoke['pred_score'], chimney['pred_score']])
        smoke['cams'] = torch.cat([smoke['cams'], chimney['cams']])
        samples.append(smoke)
    metric = CounterfactualMetric(0.5)
    metric.dataset_meta = dict(classes=('background', 'smoke', 'steam'))
    metric.process({}, samples)
    found = metric.evaluate(99)
    assert found['pairs/reliance_smoke'] == pytest.approx(0, abs=1e-4)
    assert found['pairs/reliance_steam'] == pytest.approx(100, abs=1e-4)
    assert found['pairs/reliance'] == pytest.approx(50, abs=1e-4)


def test_two_processes_give_the_numbers_of_one():
    samples = list(samples_of(reads_smoke))
    metrics = [CounterfactualMetric(0.5) for _ in range(2)]
    for rank, metric in enumerate(metrics):
        metric.process({}, samples[rank::2] + samples[:1])
    metrics[0].results += metrics[1].results
    found = metrics[0].evaluate(20)
    assert found == {f'pairs/{name}': value for name, value in evaluate(samples).items()}


def test_sure_classifiers_have_finite_effects():
    found = evaluate(samples_of(lambda s, c: (200.0 * bool(s.any()) - 100, s)))
    assert 20 < found['smoke_effect'] < 40


def test_without_a_threshold_there_are_no_masks():
    found = evaluate(samples_of(reads_smoke), threshold=None)
    assert 'reliance' in found and 'response' in found
    assert 'same_map' not in found and 'iou_both' not in found


def test_other_images_and_torn_scenes_count_for_nothing():
    samples = list(samples_of(reads_smoke))
    other = [{**samples[0], 'image': name} for name in 'xyz']
    other[0]['columns'] = {}
    other[1]['columns'] = dict(kind='smoke')  # of whatever
    del other[2]['columns']
    torn = [one for one in samples_of(reads_chimneys, 5) if one['columns']['scene'] == '4'][:-1]
    assert evaluate([*samples, *other, *torn]) == evaluate(samples)
    assert evaluate(other) == {}
