"""Serve the page, on this machine only, to whoever knows its address.

The address holds a random token, without which there is nothing. Pictures are asked for by their
numbers in the server's own list, so that no request names a file.
"""

import errno
import io
import json
import re
import secrets
import sys
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image

from mmsmoke.datasets.pictures import read_image
from mmsmoke.utils import DataError, UserError

from .desk import Desk
from .masks import Outdated
from .pictures import is_inside

PAGE = Path(__file__).with_name('page')
KINDS_OF_FILES = {'.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript'}
KINDS_OF_PICTURES = {
    '.jpg': 'image/jpeg',
    '.jpeg': 'image/jpeg',
    '.png': 'image/png',
    '.bmp': 'image/bmp',
    '.webp': 'image/webp',
}
"""Those that browsers show; others are sent as PNG."""
MOST_JSON, MOST_DROPPED = 1 << 20, 1 << 25  # bytes
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
HEADERS = {
    'Content-Security-Policy': (
        "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
}


class LabelServer(ThreadingHTTPServer):
    """Serve a desk at 127.0.0.1.

    Args:
        port: 0 for any that is free.

    Attributes:
        address: of the page.
    """

    daemon_threads = True

    def __init__(self, desk: Desk, port: int = 0):
        self.desk, self.token = desk, secrets.token_urlsafe(24)
        try:
            super().__init__(('127.0.0.1', port), _Handler)
        except (OSError, OverflowError) as error:
            raise UserError(f'port {port} cannot be used: {error}; 0 is any free one') from error
        self.hosts = {f'{name}:{self.server_port}' for name in ('127.0.0.1', 'localhost')}
        self.address = f'http://127.0.0.1:{self.server_port}/{self.token}/'
        self.files = {path.name: path.read_bytes() for path in PAGE.iterdir() if path.is_file()}

    def handle_error(self, request, client_address) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Refused(Exception):
    """Holds the status and the reason of an answer that is no good one."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 120  # seconds
    server: LabelServer
    _unread = 0  # bytes

    def do_GET(self) -> None:
        self._respond(self._get)

    def do_POST(self) -> None:
        self._respond(self._post)

    def _respond(self, act) -> None:
        length = self.headers.get('Content-Length', '')
        self._unread = int(length) if re.fullmatch(r'\d{1,12}', length) else 0
        try:
            act(*self._asked())
        except _Refused as error:
            self.send_error(error.status, str(error))
        except Outdated as error:
            self.send_error(HTTPStatus.CONFLICT, str(error))
        except UserError as error:
            self.send_error(HTTPStatus.BAD_REQUEST, str(error))
        except ConnectionError:
            raise
        except OSError as error:
            full = HTTPStatus.INSUFFICIENT_STORAGE
            status = full if error.errno in FULL else HTTPStatus.INTERNAL_SERVER_ERROR
            what = f'{error.filename}: ' if error.filename else 'it cannot be written: '
            self.send_error(status, f'{what}{error.strerror or error}')
        except Exception as error:
            traceback.print_exc()
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, f'{type(error).__name__}: {error}')

    def _asked(self) -> tuple[str, str]:
        """Return what stands behind the token, in one or two parts; refuse everybody else."""
        if self.headers.get('Host') not in self.server.hosts:
            raise _Refused(HTTPStatus.FORBIDDEN, 'this host is not served')
        origins = {f'http://{host}' for host in self.server.hosts}
        if self.headers.get('Origin') not in {None, *origins}:
            raise _Refused(HTTPStatus.FORBIDDEN, 'other sites are not served')
        begin, _, path = self.path.partition('/')
        token, *rest = path.split('/')
        sent, expected = token.encode('latin-1', 'replace'), self.server.token.encode()
        if begin or not secrets.compare_digest(sent, expected):
            raise _Refused(HTTPStatus.FORBIDDEN, 'the address is incomplete or of an earlier start')
        if not 1 <= len(rest) <= 2 or rest[1:] == ['']:
            raise _Refused(HTTPStatus.NOT_FOUND, 'there is nothing here')
        return rest[0], rest[1] if len(rest) == 2 else ''

    def _get(self, what: str, which: str) -> None:
        desk = self.server.desk
        if not which and (what or 'page.html') in self.server.files:
            name = what or 'page.html'
            kind = KINDS_OF_FILES[Path(name).suffix] + '; charset=utf-8'
            self._answer(self.server.files[name], kind)
        elif (what, which) == ('state', ''):
            self._answer_json(desk.state())
        elif what == 'changes':
            self._answer_json(desk.changes(_number(which)))
        elif what == 'picture':
            self._send_picture(self._name(which))
        elif what == 'info':
            self._answer_json(desk.info(self._name(which)))
        elif what == 'mask':
            self._answer(desk.masks.read(self._name(which)).tobytes())
        elif what == 'proposal':
            self._answer(desk.masks.read_proposal(self._name(which)).tobytes())
        elif what == 'drawn':
            self._answer_json(desk.drawn(self._name(which)))
        else:
            raise _Refused(HTTPStatus.NOT_FOUND, 'there is nothing here')

    def _post(self, what: str, which: str) -> None:
        desk = self.server.desk
        if what == 'label':
            name, content = self._name(which), self._json()
            given, since = content.get('labels'), content.get('since')
            options = {}
            if 'only_if' in content:
                options['only_if'] = content['only_if']
            if not isinstance(since, int):
                raise _Refused(HTTPStatus.BAD_REQUEST, 'since must be a number')
            if given is not None and not _are_labels(given, len(desk.table.classes)):
                raise _Refused(HTTPStatus.BAD_REQUEST, f'{given!r} are no labels')
            done = desk.table.set(name, given, **options)
            self._answer_json(dict(done=done, **desk.changes(since)))
        elif what == 'mask':
            name = self._name(which)
            width, height = desk.masks.size(name)
            values = self._body(width * height, 'application/octet-stream')
            self._answer_json(desk.masks.write(name, values, self.headers.get('If-Match') or None))
        elif what == 'drawn':
            name, content = self._name(which), self._json()
            self._answer_json(desk.draw(name, content, self.headers.get('If-Match') or None))
        else:
            raise _Refused(HTTPStatus.NOT_FOUND, 'there is nothing here')

    def _name(self, which: str) -> str:
        names, number = self.server.desk.names, _number(which)
        if number >= len(names):
            raise _Refused(HTTPStatus.NOT_FOUND, 'there is no such picture')
        return names[number]

    def _send_picture(self, name: str) -> None:
        root = self.server.desk.root
        if not is_inside(root, name):  # a link may have come since the folder was looked at
            raise _Refused(HTTPStatus.FORBIDDEN, f'{name} lies outside of the folder')
        kind = KINDS_OF_PICTURES.get(Path(name).suffix.lower())
        try:
            content = (root / name).read_bytes() if kind else _as_png(root / name)
        except FileNotFoundError as error:
            raise _Refused(HTTPStatus.NOT_FOUND, f'{name} is no longer there') from error
        self._answer(content, kind or 'image/png', cache='private, max-age=600')

    def _body(self, most: int, kind: str) -> bytes:
        length = self.headers.get('Content-Length', '')
        if not re.fullmatch(r'\d{1,12}', length):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, 'how long is it?')
        if int(length) > most:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f'more than {most} bytes')
        if self.headers.get_content_type() != kind:
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f'{kind} is wanted')
        body, self._unread = self.rfile.read(int(length)), 0
        if len(body) < int(length):
            raise _Refused(HTTPStatus.BAD_REQUEST, 'it ends too early')
        return body

    def _json(self) -> Mapping:
        try:
            content = json.loads(self._body(MOST_JSON, 'application/json'))
        except (ValueError, RecursionError) as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, f'no JSON: {error}') from error
        if not isinstance(content, dict):
            raise _Refused(HTTPStatus.BAD_REQUEST, 'a JSON object is wanted')
        return content

    def _answer_json(self, content: Any) -> None:
        self._answer(json.dumps(content).encode(), 'application/json')

    def _answer(
        self,
        content: bytes,
        kind: str = 'application/octet-stream',
        cache: str = 'no-store',
        status: int = HTTPStatus.OK,
    ) -> None:
        self.send_response(status)
        headers = HEADERS | {
            'Content-Type': kind,
            'Content-Length': str(len(content)),
            'Cache-Control': cache,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header('Connection', 'close')
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer in plain text and end the connection.

        Browsers listen only once they have sent all; of what is too much some is taken.
        """
        self.close_connection = True
        self.rfile.read(min(self._unread, MOST_DROPPED))
        text = (message or HTTPStatus(code).phrase).splitlines()[0]
        self._answer(text.encode('utf-8', 'replace'), 'text/plain; charset=utf-8', status=code)

    def version_string(self) -> str:
        return 'mmsmoke'

    def log_message(self, format: str, *args) -> None:
        """Say nothing: the page says what has gone wrong."""


def _number(text: str) -> int:
    if not re.fullmatch(r'[0-9]{1,9}', text):
        raise _Refused(HTTPStatus.NOT_FOUND, 'a number is wanted')
    return int(text)


def _are_labels(given: Any, count: int) -> bool:
    """Return whether these are 0, 1 or unknown for each class, and not all of them unknown."""
    if not isinstance(given, list) or len(given) != count or given == [None] * count:
        return False
    return all(label is None or (type(label) is int and label in (0, 1)) for label in given)


def _as_png(path: Path) -> bytes:
    data = io.BytesIO()
    try:
        Image.fromarray(read_image(path)).save(data, 'png', compress_level=1)
    except DataError:
        if not path.exists():
            raise FileNotFoundError(path) from None
        raise
    return data.getvalue()
