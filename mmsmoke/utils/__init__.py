from .configs import checkpoint_hashes, mappings, read_config, resolve_network
from .errors import DataError, UserError, require_one_of
from .files import atomic_path, read_json, sha256_of_file, sha256_of_folder, write_json
from .pictures import save_png
from .settings import differences, plain, plain_numbers
