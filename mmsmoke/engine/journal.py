"""Keep what a pseudo-label run has finished, so that it can go on after any interruption."""

import base64
import io
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import barrier, get_rank, is_main_process

from mmsmoke.utils import UserError, differences, write_json
from mmsmoke.utils.checkpoints import read_pickle

OUTPUTS = ('masks', 'scores')


class Journal:
    """Keep one line of JSON for each finished image, in one file a process.

    A line is written after the files of its image are in place; a line torn by a crash is
    ignored, and its image is done again.

    Args:
        folder: output folder of the run.
        settings: everything that decides what the output looks like. A folder that was begun
            with other settings is refused.
        overwrite: start over instead of going on.
    """

    def __init__(self, folder: Path, settings: dict, overwrite: bool = False):
        self.folder = folder / 'journal'
        if is_main_process():
            if overwrite:
                remove_outputs(folder)
            self._check_settings(settings)
            remove_leftovers(folder)
        barrier()
        self.records = self._read()
        barrier()  # nobody writes before all have read

    def _check_settings(self, settings: dict) -> None:
        path = self.folder / 'settings.json'
        if path.is_file():
            changed = list(differences(json.loads(path.read_text()), settings))
            if changed:
                raise UserError(
                    f'{self.folder.parent} holds pseudo labels of another setting '
                    f'({"; ".join(changed)}); choose another --work-dir or pass --overwrite'
                )
        else:
            write_json(path, settings)

    def _read(self) -> dict[str, dict]:
        records = {}
        for path in sorted(self.folder.glob('rank*.jsonl')):
            for line in path.read_text(encoding='utf-8').splitlines():
                try:
                    record = json.loads(line)
                except json.JSONDecodeError:
                    continue
                records[record['image']] = record
        return records

    def add(self, record: dict, results: list[Any]) -> None:
        """Note an image that is finished.

        Args:
            record: what the manifest will say of the image, with the key ``image``.
            results: what each metric noted of it.
        """
        content = io.BytesIO()
        torch.save(results, content, _use_new_zipfile_serialization=False)  # half the size
        packed = base64.b64encode(content.getvalue()).decode()
        line = json.dumps({**record, 'results': packed})
        with open(self.folder / f'rank{get_rank()}.jsonl', 'a', encoding='utf-8') as file:
            file.write(f'\n{line}')  # the line break ends whatever a crash left torn

    def restored_results(self) -> list[list[Any]]:
        """Return what each metric noted of each image that was finished before this run began."""
        packed = [record['results'] for record in self.records.values()]
        try:
            return [read_pickle(io.BytesIO(base64.b64decode(item))) for item in packed]
        except UserError as error:
            raise UserError(
                f'{self.folder} is damaged or of an earlier version of mmsmoke: pass --overwrite '
                'to start over'
            ) from error

    def manifest_records(self) -> list[dict]:
        """Return the records of all images of all processes, in order of name."""
        records = self._read()
        return [
            {key: value for key, value in records[image].items() if key != 'results'}
            for image in sorted(records)
        ]


def remove_outputs(folder: Path) -> None:
    """Remove the journal first and at once, so that a crash leaves nothing that it vouches for."""
    (folder / 'manifest.json').unlink(missing_ok=True)
    if (folder / 'journal').exists():
        outdated = folder / 'journal.outdated'
        shutil.rmtree(outdated, ignore_errors=True)
        (folder / 'journal').rename(outdated)
        shutil.rmtree(outdated)
    for name in OUTPUTS:
        shutil.rmtree(folder / name, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of a run that was killed while it wrote them."""
    for name in OUTPUTS:
        for path in (folder / name).rglob('.*.tmp.png'):
            path.unlink(missing_ok=True)
