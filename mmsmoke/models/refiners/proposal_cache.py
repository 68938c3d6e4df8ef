import gzip
import hashlib
import json
import zlib
from functools import cached_property
from pathlib import Path
from typing import Any

from mmsmoke.functional.proposals import MaskProposals
from mmsmoke.utils import atomic_path, plain, write_json


class ProposalCache:
    """Keep mask proposals on disk: ``SETTINGS/IMAGE.json.gz``, both named by what they contain.

    A file is named by the hash of the picture, its folder by the hash of the settings, which stand
    in ``settings.json`` there. So whatever changes, nothing outdated is ever read, and any
    number of processes may share a cache. A file that is torn or holds something else counts as
    not there.

    Where the weights are missing, their hash (``weights_sha256``) is unknown; then the folder is
    the one with otherwise equal settings, if there is exactly one.

    Args:
        root: folder of the cache, for any number of settings.
        proposer: has ``settings``; they are asked for at the first use.
    """

    def __init__(self, root: str | Path, proposer: Any):
        self.root = Path(root)
        self.proposer = proposer

    def read(self, image: str) -> MaskProposals | None:
        """Return the proposals for the picture with this hash, if there are any."""
        try:
            content = json.loads(gzip.decompress(self._path(image).read_bytes()))
            if (content['image'], content['settings']) != (image, self._settings):
                return None
            return MaskProposals(content['size'], content['counts'])
        except (OSError, EOFError, ValueError, TypeError, LookupError, zlib.error):
            return None

    def write(self, image: str, proposals: MaskProposals) -> None:
        path = self._path(image)
        if not (path.parent / 'settings.json').is_file():
            write_json(path.parent / 'settings.json', self._settings)
        content = dict(
            image=image,
            settings=self._settings,
            size=proposals.size,
            counts=proposals.counts,
        )
        text = json.dumps(content, separators=(',', ':'))
        with atomic_path(path) as temporary:
            temporary.write_bytes(gzip.compress(text.encode(), mtime=0))

    @cached_property
    def _settings(self) -> dict:
        settings = plain(self.proposer.settings)
        if settings.get('weights_sha256', '') is None:
            found = [
                known
                for known in map(_settings_in, self.root.glob('*/settings.json'))
                if {**known, 'weights_sha256': None} == settings
            ]
            if len(found) == 1:
                return found[0]
        return settings

    def _path(self, image: str) -> Path:
        text = json.dumps(self._settings, sort_keys=True)
        return self.root / hashlib.sha256(text.encode()).hexdigest()[:16] / f'{image}.json.gz'


def _settings_in(path: Path) -> dict:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return {}
