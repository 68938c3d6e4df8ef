import math
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny_clip import TINY, config, save_tiny_clip, tiny_clip

from mmsmoke.models import CLIPES
from mmsmoke.models.refiners.clip_es import log_odds, recorded_attention
from mmsmoke.models.refiners.open_clip_model import load_clip
from mmsmoke.registry import MODELS
from mmsmoke.utils import UserError
from mmsmoke.utils.checkpoints import TRUST

BOTH = torch.tensor([True, True])


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    return save_tiny_clip(tmp_path_factory.mktemp('clip') / 'tiny.pt')


@pytest.fixture(scope='module')
def clip_es(checkpoint) -> CLIPES:
    return MODELS.build(config(checkpoint))


def noise(height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (height, width, 3), generator=generator, dtype=torch.uint8)


def naive_image_features(visual, pixels, grid):
    """CLIP's ViT written out; returns the tokens at ln_1 of the last block and how to go on."""
    tokens = visual.conv1(pixels).flatten(2).transpose(1, 2)
    tokens = torch.cat([visual.class_embedding.view(1, 1, -1), tokens], 1)
    cls, places = visual.positional_embedding[:1], visual.positional_embedding[1:]
    places = places.T.reshape(1, -1, *visual.grid_size)
    places = F.interpolate(places, grid, mode='bilinear', align_corners=False)
    tokens = tokens + torch.cat([cls, places[0].flatten(1).T])
    tokens = visual.ln_pre(tokens)
    attentions = []
    for block in visual.transformer.resblocks[:-1]:
        mixed, weights = naive_attention(block.attn, block.ln_1(tokens))
        attentions.append(weights)
        tokens = tokens + mixed
        tokens = tokens + block.mlp(block.ln_2(tokens))
    block = visual.transformer.resblocks[-1]
    normed = block.ln_1(tokens).detach().requires_grad_()
    mixed, weights = naive_attention(block.attn, normed)
    attentions.append(weights.detach())
    tokens = tokens.detach() + mixed
    tokens = tokens + block.mlp(block.ln_2(tokens))
    feature = visual.ln_post(tokens)[0, 1:].mean(0) @ visual.proj
    return normed, feature / feature.norm(), attentions


def naive_attention(layer, tokens):
    query, key, value = F.linear(tokens, layer.in_proj_weight, layer.in_proj_bias).chunk(3, -1)
    size = tokens.shape[-1] // layer.num_heads
    heads, weights = [], []
    for h in range(layer.num_heads):
        part = slice(h * size, (h + 1) * size)
        scores = query[0, :, part] @ key[0, :, part].T / math.sqrt(size)
        weights.append(scores.softmax(-1))
        heads.append(weights[-1] @ value[0, :, part])
    return layer.out_proj(torch.cat(heads, -1))[None], torch.stack(weights).mean(0)


def naive_cams(clip_es, pixels, present):
    grid = (pixels.shape[2] // 8, pixels.shape[3] // 8)
    normed, feature, attentions = naive_image_features(clip_es.visual, pixels, grid)
    chosen = [k for k in range(len(present)) if present[k]]
    texts = clip_es.texts[chosen + list(range(len(present), len(clip_es.texts)))]
    probs = (clip_es.scale * texts @ feature).softmax(0)
    cams = torch.zeros(len(present), *grid, dtype=pixels.dtype)
    for row, k in enumerate(chosen):
        (gradient,) = torch.autograd.grad(probs[row], normed, retain_graph=True)
        weights = gradient[0, 1:].mean(0)
        cams[k] = (normed[0, 1:].detach() @ weights).view(grid)
    return cams, torch.stack([a[1:, 1:] for a in attentions[-3:]]).mean(0).detach()


def scaled(maps):
    maps = maps.clamp(min=0).flatten(1)
    low, high = maps.amin(1, keepdim=True), maps.amax(1, keepdim=True)
    return torch.where(high > low, (maps - low) / (high - low), torch.zeros_like(maps))


@pytest.mark.parametrize('size', [(32, 32), (24, 56), (8, 16)])
@pytest.mark.parametrize('present', [[True, True], [False, True]])
def test_maps_and_attention_are_those_of_clip_written_out(checkpoint, size, present):
    clip_es = MODELS.build(config(checkpoint)).double()
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(1, 3, *size, generator=generator, dtype=torch.float64)
    present = torch.tensor(present)
    cams, attention = clip_es.look(pixels, present)
    expected, naive = naive_cams(clip_es, pixels, present)
    assert torch.allclose(attention, naive, atol=1e-10)
    assert torch.allclose(scaled(cams), scaled(expected), atol=1e-7)
    assert (cams[present].flatten(1).std(1) > 0).all() and not cams[~present].any()
    assert attention.std() > 0.01 / len(attention)


def test_scores_are_the_map_spread_inside_its_boxes(clip_es):
    image = noise(40, 56)
    scores = clip_es(image, BOTH)
    cams, attention = naive_cams(clip_es, clip_es.prepare(image), BOTH)
    maps = scaled(cams).view(2, 5, 7)
    matrix = attention.double()
    for _ in range(3):
        matrix = matrix / matrix.sum(0, keepdim=True)
        matrix = matrix / matrix.sum(1, keepdim=True)
    matrix = (matrix + matrix.T) / 2
    matrix = matrix @ matrix
    for k in range(2):
        assert (maps[k] > 0.4).any() and not (maps[k] > 0.4).all()
        mask = boxes_of(maps[k].numpy() > 0.4)
        spread = (matrix * torch.tensor(mask).flatten()) @ maps[k].flatten().double()
        spread = scaled(spread.view(1, -1)).view(1, 1, 5, 7)
        expected = F.interpolate(spread, (40, 56), mode='bilinear', align_corners=False)[0, 0]
        assert torch.allclose(scores[k].double(), expected, atol=1e-3)
        assert scores[k].max() > 0.9


def boxes_of(above):
    """By contours, as the authors find them."""
    import cv2

    mask = np.zeros(above.shape, bool)
    contours, _ = cv2.findContours(above.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        x, y, width, height = cv2.boundingRect(contour)
        mask[y : y + height, x : x + width] = True
    return mask


def test_the_model_and_the_grad_mode_are_left_as_they_were(clip_es):
    visual = clip_es.visual
    pixels = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    before, state = visual(pixels), {k: v.clone() for k, v in visual.state_dict().items()}
    for enabled in (False, True):
        with torch.set_grad_enabled(enabled):
            clip_es(noise(24, 48), BOTH)
            assert torch.is_grad_enabled() == enabled
    with torch.inference_mode():
        clip_es(noise(24, 48), BOTH)
        assert torch.is_inference_mode_enabled()
    assert torch.equal(visual(pixels), before)
    assert all(torch.equal(state[k], v) for k, v in visual.state_dict().items())
    for module in clip_es.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks
    assert all(p.grad is None and not p.requires_grad for p in clip_es.parameters())


def test_hooks_go_when_the_model_fails(clip_es):
    layer = clip_es.visual.transformer.resblocks[0].attn
    with pytest.raises(RuntimeError, match='stop'), recorded_attention([layer]):
        raise RuntimeError('stop')
    assert not layer._forward_hooks and not layer._forward_pre_hooks


def test_at_the_trained_size_the_model_sees_what_open_clip_would(clip_es):
    """The grid's own embeddings, and an output that asking for the attention does not change."""
    visual, seen = clip_es.visual, []
    pixels = clip_es.prepare(noise(32, 32))
    expected = visual(pixels)
    handle = visual.register_forward_hook(lambda _, args, output: seen.append(output))
    try:
        clip_es.look(pixels, BOTH)
    finally:
        handle.remove()
    assert torch.allclose(seen[0], expected, atol=1e-5)


def test_it_says_the_same_each_time(clip_es):
    image = noise(30, 50)
    assert torch.equal(clip_es(image, BOTH), clip_es(image, BOTH))


def test_log_odds_are_those_of_the_softmax():
    logits = torch.randn(4, 6, generator=torch.Generator().manual_seed(0)).double()
    probs = logits.softmax(-1)[:, :3]
    assert torch.allclose(log_odds(logits, 3), (probs / (1 - probs)).log())
    certain = torch.tensor([[300.0, 0.0, 0.0]], requires_grad=True)
    log_odds(certain, 1).sum().backward()
    assert certain.grad[0].tolist() == [1, -0.5, -0.5]


def test_another_background_name_never_makes_a_class_likelier(checkpoint):
    image = noise(32, 40)
    names, odds = ['sky', 'cloud', 'tree', 'smoke', 'water'], []
    for count in range(1, 6):
        clip_es = MODELS.build(config(checkpoint, background=names[:count]))
        logits = logits_of(clip_es, image)
        odds.append(log_odds(logits[None], 2)[0])
    odds = torch.stack(odds).sigmoid()
    assert (odds.diff(dim=0) <= 0).all() and (odds[0] > odds[-1]).all()


def logits_of(clip_es, image):
    pixels = clip_es.prepare(image)
    _, feature, _ = naive_image_features(clip_es.visual, pixels, (4, 5))
    return (clip_es.scale * clip_es.texts @ feature).detach()


def test_background_names_and_other_present_classes_change_a_map(clip_es, checkpoint):
    image = noise(40, 40)
    alone = clip_es(image, torch.tensor([True, False]))
    together = clip_es(image, BOTH)
    assert not alone[1].any() and together[1].any()
    assert not torch.allclose(alone[0], together[0], atol=0.01)
    other = MODELS.build(config(checkpoint, background=['water']))
    assert not torch.allclose(alone, other(image, torch.tensor([True, False])), atol=0.01)


def test_names_and_prompts_of_a_class_are_averaged_on_the_sphere(checkpoint):
    import open_clip

    prompts = ['a photo of {}.', '{}']
    clip_es = MODELS.build(config(checkpoint, prompts=prompts))
    tokenize = open_clip.SimpleTokenizer(context_length=16)
    texts = ['a photo of smoke.', 'smoke', 'a photo of exhaust fumes.', 'exhaust fumes']
    rows = [tiny_clip().encode_text(tokenize([text]))[0] for text in texts]
    mean = sum(row / row.norm() for row in rows)
    assert torch.allclose(clip_es.texts[0], mean / mean.norm(), atol=1e-5)
    assert clip_es.texts.shape == (5, 16)
    single = tiny_clip().encode_text(tokenize(['a photo of tree.', 'tree']), normalize=True).sum(0)
    assert torch.allclose(clip_es.texts[4], single / single.norm(), atol=1e-5)


@pytest.mark.parametrize(
    'size, max_size, expected',
    [
        ((32, 48), 1024, (32, 48)),
        ((33, 47), 1024, (40, 48)),
        ((1, 1), 1024, (8, 8)),
        ((100, 50), 40, (40, 24)),
        ((7, 300), 32, (8, 32)),
        ((90, 30), 60, (64, 24)),
    ],
)
def test_sides_are_rounded_up_to_whole_patches_and_bounded(checkpoint, size, max_size, expected):
    clip_es = MODELS.build(config(checkpoint, max_size=max_size))
    assert clip_es.prepare(noise(*size)).shape == (1, 3, *expected)
    scores = clip_es(noise(*size), BOTH)
    assert scores.shape == (2, *size) and scores.dtype == torch.float32
    assert scores.isfinite().all() and scores.min() >= 0 and scores.max() <= 1


def test_pixels_are_normalised_as_clip_s_were(clip_es):
    image = torch.tensor([255, 0, 128], dtype=torch.uint8).expand(8, 8, 3)
    pixels = clip_es.prepare(image)[0, :, 3, 4]
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    expected = [(v / 255 - m) / s for v, m, s in zip((255, 0, 128), mean, std, strict=True)]
    assert pixels.tolist() == pytest.approx(expected, abs=1e-4)


def test_resizing_makes_no_colour_that_pixels_cannot_have(clip_es):
    image = torch.zeros(23, 35, 3, dtype=torch.uint8)
    image[:, 13:] = 255  # bicubic weights overshoot at an edge
    pixels = clip_es.prepare(image) * clip_es.std + clip_es.mean
    assert pixels.min() > -0.01 and pixels.max() < 255.01


def test_given_scores_spread_instead_of_clip_s_own(clip_es):
    image = noise(40, 56)
    given = torch.zeros(2, 40, 56)
    given[0, 8:16, 16:32] = 0.8  # two patches of the grid
    given[1] = 0.5
    scores = clip_es(image, BOTH, given)
    _, attention = clip_es.look(clip_es.prepare(image), BOTH)
    matrix = attention.double()
    for _ in range(3):
        matrix = matrix / matrix.sum(0, keepdim=True)
        matrix = matrix / matrix.sum(1, keepdim=True)
    matrix = (matrix + matrix.T) / 2
    cells = torch.zeros(5, 7).double()
    cells[1, 2:4] = 1
    spread = scaled((matrix @ matrix @ cells.flatten())[None]).view(1, 1, 5, 7)
    expected = F.interpolate(spread, (40, 56), mode='bilinear', align_corners=False)[0, 0]
    assert torch.allclose(scores[0].double(), expected, atol=1e-3)
    assert not scores[1].any()  # no contrast, nothing to spread
    assert not clip_es(image, torch.tensor([False, True]), given)[0].any()


def test_weights_are_read_from_every_kind_of_file(tmp_path, monkeypatch):
    from safetensors.torch import save_file

    state = tiny_clip(seed=5).state_dict()
    files = [tmp_path / name for name in ('plain.pt', 'nested.pth', 'half.pt', 'a.safetensors')]
    torch.save(state, files[0])
    torch.save(dict(epoch=3, state_dict={f'module.{k}': v for k, v in state.items()}), files[1])
    torch.save({k: v.half() for k, v in state.items()}, files[2])
    save_file(state, files[3])
    files.append(openai_archive(tmp_path / 'ViT.pt', state))
    with pytest.raises(UserError, match=r'ViT\.pt is refused: it is a TorchScript program'):
        load_clip(TINY, str(files[-1]))
    monkeypatch.setenv(TRUST, '1')
    for file in files:
        clip = load_clip(TINY, str(file))
        tolerance = 1e-3 if file.name in ('half.pt', 'ViT.pt') else 0
        for key, value in clip.state_dict().items():
            assert value.dtype == torch.float32
            assert torch.allclose(value, state[key], rtol=tolerance, atol=tolerance / 10)
        assert not clip.training and not any(p.requires_grad for p in clip.parameters())


def openai_archive(path, state):
    """TorchScript, half precision, three numbers among the weights: as OpenAI's files are."""

    class Holder(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    holder = Holder()
    extras = dict(input_resolution=32, context_length=16, vocab_size=49408)
    for key, value in {**state, **{k: torch.tensor(v) for k, v in extras.items()}}.items():
        *parents, name = key.split('.')
        node = holder
        for parent in parents:
            if not hasattr(node, parent):
                node.add_module(parent, torch.nn.Module())
            node = getattr(node, parent)
        node.register_buffer(name, value.half() if value.is_floating_point() else value)
    torch.jit.save(torch.jit.script(holder), path)
    return path


def test_openai_s_weights_need_quick_gelu(tmp_path, monkeypatch):
    monkeypatch.setenv(TRUST, '1')
    path = openai_archive(tmp_path / 'ViT.pt', tiny_clip().state_dict())
    with pytest.raises(UserError, match=r"ViT\.pt is OpenAI's .* '-quickgelu'"):
        load_clip({**TINY, 'quick_gelu': False}, str(path))


def test_a_missing_file_says_where_to_get_it():
    with pytest.raises(UserError, match=r'checkpoints/no\.pt does not exist\..*/ViT-B-16\.pt') as e:
        MODELS.build(config('checkpoints/no.pt', model='ViT-B-16-quickgelu'))
    assert "create_model('ViT-B-16-quickgelu', 'openai')" in str(e.value)
    with pytest.raises(UserError, match=r"create_model\('ViT-B-16', 'TAG'\)"):
        MODELS.build(config('checkpoints/no.pt', model='ViT-B-16'))


def test_a_missing_package_says_how_to_get_it(monkeypatch, checkpoint):
    monkeypatch.setitem(sys.modules, 'open_clip', None)
    with pytest.raises(UserError, match=r"pip install 'mmsmoke\[clip\]'"):
        MODELS.build(config(checkpoint))


def test_files_that_do_not_fit_are_named(tmp_path, checkpoint):
    garbage = tmp_path / 'garbage.pt'
    garbage.write_bytes(b'<html>404</html>')
    with pytest.raises(UserError, match=r'garbage\.pt cannot be read as a checkpoint'):
        load_clip(TINY, str(garbage))
    tensor = tmp_path / 'tensor.pt'
    torch.save(torch.zeros(3), tensor)
    with pytest.raises(UserError, match=r'tensor\.pt holds no weights'):
        load_clip(TINY, str(tensor))
    deeper = {**TINY, 'vision_cfg': {**TINY['vision_cfg'], 'layers': 5}}
    with pytest.raises(UserError, match=r'does not hold the weights of .* Missing key'):
        load_clip(deeper, checkpoint)


@pytest.mark.parametrize(
    'change',
    [
        dict(vision_cfg=dict(TINY['vision_cfg'], layers=[1, 1, 1, 1], width=8)),  # a ResNet
        dict(vision_cfg=dict(TINY['vision_cfg'], attentional_pool=True, attn_pooler_heads=2)),
        dict(vision_cfg=dict(TINY['vision_cfg'], final_ln_after_pool=True)),
        dict(vision_cfg=dict(TINY['vision_cfg'], qk_norm=True)),
        dict(vision_cfg=dict(TINY['vision_cfg'], timm_model_name='vit_tiny_patch16_224')),
        dict(text_cfg=dict(TINY['text_cfg'], hf_tokenizer_name='bert-base-uncased')),
        dict(custom_text=True),
    ],
)
def test_models_whose_attention_cannot_be_read_are_refused(checkpoint, change):
    with pytest.raises(UserError, match="CLIP's own ViTs"):
        load_clip({**TINY, **change}, checkpoint)


def test_model_names_are_open_clip_s(checkpoint):
    with pytest.raises(UserError, match="open_clip has no model 'ViT-B/16'"):
        MODELS.build(config(checkpoint, model='ViT-B/16'))


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(foreground=dict(smoke='smoke')), r"foreground\['smoke'\] must be a list of names"),
        (dict(foreground=dict(smoke=[])), r"foreground\['smoke'\] must be a list of names"),
        (dict(background=[]), 'background must be a list of names'),
        (dict(background='sky'), 'background must be a list of names'),
        (dict(prompts='a photo of {}.'), 'prompts must be a list of texts with {}'),
        (dict(prompts=['a photo of smoke.']), 'prompts must be a list of texts with {}'),
        (dict(num_blocks=5), 'num_blocks must be from 1 to 4, got 5'),
        (dict(num_blocks=0), 'num_blocks must be from 1 to 4, got 0'),
        (dict(max_size=7), 'max_size 7 is smaller than a patch'),
    ],
)
def test_bad_options_are_named(checkpoint, change, message):
    with pytest.raises(UserError, match=message):
        MODELS.build(config(checkpoint, **change))


def test_a_model_is_found_by_its_name(checkpoint, monkeypatch):
    from open_clip import factory

    monkeypatch.setitem(factory._MODEL_CONFIGS, 'ViT-tiny-8-quickgelu', TINY)
    named = MODELS.build(config(checkpoint, model='ViT-tiny-8-quickgelu'))
    image = noise(24, 32)
    assert torch.equal(named(image, BOTH), MODELS.build(config(checkpoint))(image, BOTH))
