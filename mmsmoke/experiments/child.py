"""Run the process of a step: ``python -m mmsmoke.experiments.child FOLDER PARENT [GPUS]``."""

import json
import os
import sys
from pathlib import Path

from mmsmoke.utils.cli import user_errors_as_text
from mmsmoke.utils.process import die_with_parent


@user_errors_as_text
def main() -> None:
    folder, parent, gpus = Path(sys.argv[1]), int(sys.argv[2]), int(*sys.argv[3:] or [1])
    die_with_parent(parent)
    if gpus > 1:  # one process for each
        from torch.distributed.run import main as launch

        start = ['--standalone', f'--nproc_per_node={gpus}', '-m', __spec__.name]
        launch([*start, str(folder), str(os.getpid())])
    else:
        work(folder)


def work(folder: Path) -> None:
    """Do what is written down in a folder, and write there what it returns."""
    from mmengine.dist import is_main_process

    from mmsmoke.utils import plain, write_json

    from .cost import note_cost
    from .process import CALL, RETURNED
    from .work import KINDS

    call = json.loads((folder / CALL).read_text())
    try:
        returned = KINDS[call['kind']].function(folder, **call['arguments'])
    finally:
        if is_main_process():
            note_cost(folder)
    if is_main_process():
        write_json(folder / RETURNED, plain(returned))


if __name__ == '__main__':
    main()
