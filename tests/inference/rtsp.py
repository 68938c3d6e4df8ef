"""A network camera for tests: sends JPEG pictures by RTSP (RFC 2326), as RTP (RFC 2435)."""

import base64
import socketserver
import struct
import threading
import time
from contextlib import contextmanager

import cv2
import numpy as np

CLOCK = 90_000
"""Ticks of RTP's clock in a second."""
MOST = 1400
"""Bytes of a picture in one packet."""


@contextmanager
def network_camera(pictures, user=None, most=None, seconds=0.02):
    """Serve pictures, again and again; yield a server whose ``address`` gives the stream.

    Args:
        pictures: BGR, of one size with sides that 16 divides.
        user: 'name:password', without which nothing is served.
        most: a connection ends after as many pictures.
        seconds: between two pictures.
    """
    server = _Server(('127.0.0.1', 0), _Connection)
    server.jpegs = [_parts_of(cv2.imencode('.jpg', one)[1].tobytes()) for one in pictures]
    server.user, server.most, server.seconds = user, most, seconds
    server.stopped, server.opened = threading.Event(), 0
    at = f'{user}@' if user else ''
    server.address = f'rtsp://{at}127.0.0.1:{server.server_address[1]}/main'
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


class _Connection(socketserver.StreamRequestHandler):
    def handle(self):
        playing = False
        while request := self.rfile.readline().split():
            headers = {}
            while line := self.rfile.readline().strip():
                name, _, value = line.decode().partition(':')
                headers[name.lower()] = value.strip()
            method, more, body = request[0].decode(), [], b''
            status = '200 OK'
            if self.server.user and headers.get('authorization') != self._authorization():
                status = '401 Unauthorized'
                more = ['WWW-Authenticate: Basic realm="camera"']
            elif method == 'DESCRIBE':
                body = b'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n'
                body += b'm=video 0 RTP/AVP 26\r\na=control:track\r\n'
                more = ['Content-Type: application/sdp', f'Content-Length: {len(body)}']
            elif method == 'SETUP':
                more = ['Transport: RTP/AVP/TCP;unicast;interleaved=0-1', 'Session: 1']
            elif method == 'PLAY':
                more, playing = ['Session: 1'], True
            elif method == 'OPTIONS':
                more = ['Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN']
            lines = [f'RTSP/1.0 {status}', f'CSeq: {headers.get("cseq", 0)}', *more, '', '']
            self.wfile.write('\r\n'.join(lines).encode() + body)
            if playing:
                self.server.opened += 1
                self._play()
                return

    def _authorization(self):
        return 'Basic ' + base64.b64encode(self.server.user.encode()).decode()

    def _play(self):
        number, sent = 0, 0
        while not self.server.stopped.is_set() and sent != self.server.most:
            ticks = int(time.monotonic() * CLOCK) % 2**32
            payloads = _payloads(self.server.jpegs[sent % len(self.server.jpegs)])
            for k, payload in enumerate(payloads):
                last = 128 if k == len(payloads) - 1 else 0
                header = struct.pack('>BBHII', 128, last | 26, number % 2**16, ticks, 1)
                packet = header + payload
                try:
                    self.wfile.write(struct.pack('>cBH', b'$', 0, len(packet)) + packet)
                except OSError:  # nobody listens any more
                    return
                number += 1
            sent += 1
            self.server.stopped.wait(self.server.seconds)


def _parts_of(jpeg):
    """Return kind, width and height in blocks of 8, quantisation tables and compressed pixels."""
    place, tables = 2, b''
    while True:
        marker, length = struct.unpack('>HH', jpeg[place : place + 4])
        body = jpeg[place + 4 : place + 2 + length]
        place += 2 + length
        if marker == 0xFFDB:
            tables += b''.join(body[k + 1 : k + 65] for k in range(0, len(body), 65))
        elif marker == 0xFFC0:
            height, width = struct.unpack('>HH', body[1:5])
            kind = 1 if body[7] == 0x22 else 0  # colours at half the size in both directions
        elif marker == 0xFFDA:
            return kind, width // 8, height // 8, tables, jpeg[place:-2]


def _payloads(parts):
    kind, width, height, tables, pixels = parts
    found = []
    for start in range(0, len(pixels), MOST):
        header = start.to_bytes(4, 'big') + bytes([kind, 255, width, height])
        if start == 0:
            header += struct.pack('>BBH', 0, 0, len(tables)) + tables
        found.append(header + pixels[start : start + MOST])
    return found


def decoded(picture):
    """Return a picture as the camera's viewers see it."""
    return cv2.imdecode(np.frombuffer(cv2.imencode('.jpg', picture)[1], np.uint8), 1)
