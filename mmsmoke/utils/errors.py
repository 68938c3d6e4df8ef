from collections.abc import Collection

TRUST = 'MMSMOKE_TRUST_CHECKPOINTS'
"""Environment variable that says that checkpoints may run code."""


class UserError(ValueError):
    """Report what the user can mend; tools print the message alone, without a traceback."""


class DataError(UserError):
    """Report what is wrong in the user's files; the message names the file and, if any, the row."""


def require_one_of(choices: Collection[str], **settings: str) -> None:
    """Raise for a setting that is none of its choices.

    Example:
        >>> require_one_of(('mean', 'max'), mode='mean', combine='max')
    """
    for name, value in settings.items():
        if value not in choices:
            raise UserError(f'{name} must be one of {", ".join(choices)}, got {value!r}')
