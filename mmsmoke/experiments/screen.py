"""Print what the user of a plan sees."""

from threading import local

_of_thread = local()


def say(text: str) -> None:
    """Print for the user; of several steps at the same time each line says whose it is."""
    prefix = getattr(_of_thread, 'prefix', '')
    print('\n'.join(prefix + line if line else line for line in text.split('\n')), flush=True)


def speak_as(prefix: str) -> None:
    """Begin all that this thread says with a prefix."""
    _of_thread.prefix = prefix
