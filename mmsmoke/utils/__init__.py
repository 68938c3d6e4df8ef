from .errors import DataError, UserError
from .files import atomic_path, sha256_of_file, write_json
from .settings import differences, plain, plain_numbers

__all__ = [
    'DataError',
    'UserError',
    'atomic_path',
    'differences',
    'plain',
    'plain_numbers',
    'sha256_of_file',
    'write_json',
]
