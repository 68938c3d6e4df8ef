TRUST = 'MMSMOKE_TRUST_CHECKPOINTS'
"""Environment variable that says that checkpoints may run code."""


class UserError(ValueError):
    """Something that the user can mend; tools print its message alone, without a traceback."""


class DataError(UserError):
    """Something is wrong in the user's files; the message names the file and, if any, the row."""
