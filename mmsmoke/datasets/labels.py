"""Read yes and no in all the ways in which labels may be written."""

from mmsmoke.utils import DataError

YES, NO = ('1', 'yes', 'true', 'y'), ('0', 'no', 'false', 'n')


def label_of(value: object) -> int:
    """Returns a label as 0 or 1, be it a cell of labels.csv or a value of a config.

    Upper and lower case, and blanks around it, make no difference.

    Raises:
        DataError: for anything else; the message lacks the name of what was looked at.

    Example:
        >>> label_of(' Yes'), label_of('0'), label_of(True)
        (1, 0, 1)
    """
    word = str(value).strip().lower()
    if word not in YES + NO:
        raise DataError(
            f'must be 0 or 1, got {value!r}; yes and no, true and false, y and n are read as well'
        )
    return int(word in YES)
