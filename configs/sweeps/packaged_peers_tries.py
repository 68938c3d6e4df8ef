# Four settings of each peer method, with weights from packages, on drawn scenes: its learning rate
# times 0.3, 1 and 3 and, where it has a loss beside that of the labels, three times that loss, else
# a tenth of the learning rate. packaged_peers takes the best of each. A plain name is the method as
# its config has it. One seed. --scale smoke5k is the same on photographs. About 135 minutes of one
# core, most of them for the many views of TransCAM's tests.
_base_ = './packaged_smokestack.py'

configs = dict(
    lite0_pcm='configs/cam/lite0-pcm_3e_smokestack-126.py',
    seam='configs/cam/seam_lite0_3e_smokestack-126.py',
    acr='configs/cam/acr_dinov2-s_3e_smokestack-126.py',
    # from scratch, since no package has weights for a Conformer, and on pictures of 128 px
    transcam='configs/cam/transcam_conformer-xs_12e_smokestack-128.py',
)
options = dict(data_root=_base_.data_root)
seeds = [0]
methods = dict(
    **_base_.main_rows,
    lite0_pcm=dict(config='lite0_pcm'),
    seam=dict(config='seam'),
    transcam=dict(config='transcam'),
    acr=dict(config='acr'),
)
thrice = dict(
    own_maps={'model.transfer_loss.loss_weight': 3.0},
    seam={'model.er_weight': 3.0, 'model.ecr_weight': 3.0},
    acr={'model.weight': 3 * 18.0},
)
variants = {}
for method, changes in methods.items():
    rate = 5e-4 if method == 'transcam' else 1e-3  # that of its config
    variants[method] = changes
    for times in (0.3, 3) if method in thrice else (0.1, 0.3, 3):
        tried = {**changes, 'optim_wrapper.optimizer.lr': times * rate}
        variants[f'{method}, lr x {times}'] = tried
    if method in thrice:
        variants[f'{method}, loss x 3'] = {**changes, **thrice[method]}
baseline = None
columns = [('CAM IoU, val', 'val', 'cam/image_iou'), ('accuracy, val', 'val', 'label/accuracy')]
claims = []
photographs = _base_.photographs
scales = dict(
    smoke5k=dict(
        photographs,
        configs=dict(
            photographs.configs,
            lite0_pcm='configs/cam/lite0-pcm_3e_weakseg-168.py',
            seam='configs/cam/seam_lite0_3e_weakseg-168.py',
            acr='configs/cam/acr_dinov2-s_3e_weakseg-168.py',
        ),
        variants={'acr, loss x 3': {'model.weight': 3 * 31.0}},
    )
)
del thrice, method, changes, rate, times, tried
