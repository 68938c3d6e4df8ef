"""Tell others of events: by a webhook, and by a program of the user's own.

A thread does it, so that nobody waits. What could not be delivered is tried again, and is kept in
the monitor's state: each event is delivered at least once, and its ``id`` tells repetitions.
"""

import http.client
import json
import re
import shlex
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from threading import Condition, Event, Thread

from mmsmoke.utils import UserError

from .sources import Say

MOST = 1000
"""Events that may wait; beyond, the oldest is given up."""
TRIES = 8
TIMEOUT = 20.0
"""Seconds for an answer to the webhook; the command has three times as long."""


class Notifier:
    """Deliver events one after the other, from a thread of its own.

    Args:
        webhook: address that each event is posted to as JSON; none if empty.
        command: program and arguments; called without a shell, the event as JSON on its standard
            input. ``{event}`` stands for the event's id. None if empty.
        waits: pause in seconds after the first failure, doubled with each, and the longest.
    """

    def __init__(
        self,
        webhook: str,
        command: str,
        say: Say,
        waits: tuple[float, float] = (2.0, 300.0),
        timeout: float = TIMEOUT,
    ):
        self.webhook, self.command = check_webhook(webhook), split_command(command)
        self.say, self.waits, self.timeout = say, waits, timeout
        self.queue: list[dict] = []
        self.changed, self.stopped = Condition(), Event()
        self.active = bool(self.webhook or self.command)
        self.thread = Thread(target=self._work, daemon=True)
        if self.active:
            self.thread.start()

    def offer(self, events: Sequence[dict]) -> None:
        """Take events for delivery; never waits."""
        if not self.active:
            return
        with self.changed:
            self.queue += events
            lost = len(self.queue) - MOST
            if lost > 0:
                self.say(f'too many events wait to be delivered: {lost} given up')
                del self.queue[:lost]
            self.changed.notify_all()

    def waiting(self) -> list[dict]:
        """Return what has not been delivered yet."""
        with self.changed:
            return list(self.queue)

    def close(self, patience: float = 5.0) -> None:
        """Stop, once all is delivered or the patience is at its end."""
        if self.active:
            with self.changed:
                self.changed.wait_for(lambda: not self.queue, patience)
            self.stopped.set()
            with self.changed:
                self.changed.notify_all()

    def _work(self) -> None:
        failures, wait = 0, self.waits[0]
        while not self.stopped.is_set():
            with self.changed:
                self.changed.wait_for(lambda: self.queue or self.stopped.is_set())
                if self.stopped.is_set():
                    return
                event = self.queue[0]
            problem = self._deliver(event)
            if problem:
                failures += 1
                self.say(problem)
                if failures < TRIES:
                    self.stopped.wait(wait)
                    wait = min(2 * wait, self.waits[1])
                    continue
                self.say(f'{event["id"]} is given up after {TRIES} tries')
            failures, wait = 0, self.waits[0]
            with self.changed:
                self.queue = [one for one in self.queue if one is not event]
                self.changed.notify_all()

    def _deliver(self, event: dict) -> str | None:
        """Return what went wrong, if anything did."""
        data = json.dumps(event).encode()
        try:
            if self.webhook:
                request = urllib.request.Request(
                    self.webhook, data, {'Content-Type': 'application/json'}, method='POST'
                )
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                    answer.read(1 << 16)
            if self.command:
                words = [word.replace('{event}', event['id']) for word in self.command]
                subprocess.run(
                    words, input=data, timeout=3 * self.timeout, check=True,
                    stdout=subprocess.DEVNULL,
                )  # fmt: skip
        except urllib.error.HTTPError as error:
            return f'the webhook answers {error.code} {error.reason}'
        except (urllib.error.URLError, TimeoutError) as error:
            return f'the webhook cannot be reached: {getattr(error, "reason", error)}'
        except subprocess.CalledProcessError as error:
            return f'{self.command[0]} ends with exit code {error.returncode}'
        except subprocess.TimeoutExpired as error:
            return f'{self.command[0]} has not ended after {error.timeout:g} seconds'
        except (OSError, ValueError, http.client.HTTPException) as error:
            return f'an event cannot be delivered: {str(error).strip()}'
        return None


def check_webhook(address: str) -> str:
    if address and not re.match(r'https?://[^/\s]', address, re.IGNORECASE):
        raise UserError(f'a webhook begins with http:// or https://, got {address!r}')
    return address


def split_command(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UserError(f'this command cannot be read: {command!r}: {error}') from error
    return words
