"""A headless Chromium, spoken to over two pipes: no driver and no port are needed."""

import base64
import fcntl
import json
import os
import selectors
import shutil
import subprocess
from itertools import count
from pathlib import Path

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
PATIENCE = 60  # seconds without a word from the browser


def find_chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Silent(AssertionError):
    """The browser has crashed, or says nothing any more."""


class Browser:
    """One page; ``log`` holds what its scripts complain of, what it asks for and is refused."""

    def __init__(self, profile: Path, width: int = 1280, height: int = 900):
        self.profile, self.size = profile, (width, height)
        self._start()

    def _start(self) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # well above 3 and 4, which the browser wants
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs_in, theirs_out)]
        flags = [
            '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
            '--remote-debugging-pipe', f'--user-data-dir={self.profile}', '--no-first-run',
        ]  # fmt: skip
        self.process = subprocess.Popen(
            ['bash', '-c', f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}', 'bash', find_chromium(), *flags],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (theirs_in, theirs_out, *ends):
            os.close(end)
        self.reader, self.writer = ours_in, os.fdopen(ours_out, 'wb')
        self.unread = b''
        self.numbers, self.session, self.log = count(1), None, []
        target = self.send('Target.createTarget', url='about:blank')['targetId']
        attached = self.send('Target.attachToTarget', targetId=target, flatten=True)
        self.session = attached['sessionId']
        for domain in ('Page', 'Runtime', 'Network', 'Log'):
            self.send(f'{domain}.enable')
        self.resize(*self.size)

    def send(self, method: str, **params) -> dict:
        number = next(self.numbers)
        message = dict(id=number, method=method, params=params)
        if self.session:
            message['sessionId'] = self.session
        self.writer.write(json.dumps(message).encode() + b'\0')
        self.writer.flush()
        while True:
            answer = self._receive()
            if answer.get('id') == number:
                assert 'error' not in answer, answer['error']
                return answer['result']

    def _receive(self) -> dict:
        while b'\0' not in self.unread:
            # unlike select, it takes file descriptors beyond 1024, as a long run of tests has
            with selectors.DefaultSelector() as waiting:
                waiting.register(self.reader, selectors.EVENT_READ)
                ready = waiting.select(PATIENCE)
            chunk = os.read(self.reader, 65536) if ready else b''
            if not chunk:
                raise Silent(f'{"gone" if ready else "silent"}; before it said {self.log[-3:]}')
            self.unread += chunk
        text, _, self.unread = self.unread.partition(b'\0')
        message = json.loads(text)
        if message.get('method') == 'Inspector.targetCrashed':
            raise Silent('the page has crashed, as where memory is short')
        if message.get('method') == 'Runtime.exceptionThrown':
            self.log.append(message['params']['exceptionDetails']['text'])
        if message.get('method') == 'Log.entryAdded':
            self.log.append(message['params']['entry']['text'])
        if message.get('method') == 'Network.requestWillBeSent':
            self.log.append(message['params']['request']['url'][:80])
        return message

    def open(self, page: Path | str, fragment: str = '') -> None:
        """Opens a report, or an address, and waits for its pictures; forgets the log.

        A browser that has crashed is started anew, once.
        """
        try:
            self._open(page, fragment)
        except Silent:
            self.close()
            self._start()
            self._open(page, fragment)

    def _open(self, page: Path | str, fragment: str) -> None:
        address = page if isinstance(page, str) else page.resolve().as_uri()
        self.send('Page.navigate', url='about:blank')
        self.log.clear()
        self.send('Page.navigate', url=f'{address}{fragment}')
        self.wait_for('document.body?.dataset.ready')

    def wait_for(self, condition: str) -> None:
        """Waits until an expression is true."""
        self.run(
            f'new Promise(done => {{ const look = () => {condition} ? done(1) '
            ': setTimeout(look, 10); look(); })'
        )

    def run(self, script: str):
        """The value of an expression, awaited."""
        answer = self.send(
            'Runtime.evaluate', expression=script, awaitPromise=True, returnByValue=True
        )
        assert 'exceptionDetails' not in answer, answer['exceptionDetails']
        return answer['result'].get('value')

    def press(self, key: str, code: int, times: int = 1) -> None:
        for _ in range(times):
            for kind in ('keyDown', 'keyUp'):
                self.send(
                    'Input.dispatchKeyEvent', type=kind, key=key, code=key,
                    windowsVirtualKeyCode=code,
                )  # fmt: skip

    def drag(self, *places: tuple[float, float], modifiers: int = 0) -> None:
        """Presses the mouse at the first place, moves it over all, and lets go at the last."""
        kinds = ['mouseMoved', 'mousePressed', *['mouseMoved'] * (len(places) - 1), 'mouseReleased']
        for kind, (x, y) in zip(kinds, [places[0], *places, places[-1]], strict=True):
            moved = kind == 'mouseMoved'
            self.send(
                'Input.dispatchMouseEvent', type=kind, x=x, y=y, clickCount=1, modifiers=modifiers,
                button='none' if moved else 'left', buttons=int(not moved),
            )  # fmt: skip

    def resize(self, width: int, height: int, mobile: bool = False) -> None:
        self.send(
            'Emulation.setDeviceMetricsOverride',
            width=width, height=height, deviceScaleFactor=1, mobile=mobile,
        )  # fmt: skip

    def screenshot(self, path: Path) -> None:
        data = self.send('Page.captureScreenshot', captureBeyondViewport=True)['data']
        path.write_bytes(base64.b64decode(data))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.reader)
        self.writer.close()
