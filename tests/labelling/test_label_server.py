"""What the page's server says to those who know its address, and to those who do not."""

import http.client
import json
import socket

import numpy as np
import pytest
from conftest import save, save_palette
from full_disk import files_up_to
from serving import SIZE, labels, served, write_folder

from mmsmoke.labelling.desk import Desk
from mmsmoke.labelling.server import MOST_JSON, LabelServer
from mmsmoke.utils import UserError

JSON = {'Content-Type': 'application/json'}
BYTES = {'Content-Type': 'application/octet-stream'}
YES = json.dumps(dict(labels=[1], since=0))


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    with served(write_folder(tmp_path_factory.mktemp('data') / 'plant')) as one:
        yield one


def ask(server, path, method='GET', body=None, headers=None, token=True):
    connection = http.client.HTTPConnection('127.0.0.1', server.server_port, timeout=10)
    try:
        connection.request(
            method, f'/{server.token}/{path}' if token else path, body, headers or {}
        )
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def status(*args, **kwargs):
    return ask(*args, **kwargs)[0].status


def test_the_page_and_all_it_needs_are_there(server):
    for path, kind in {
        '': 'text/html', 'page.css': 'text/css', 'page.js': 'text/javascript',
        'state': 'application/json', 'picture/0': 'image/png', 'info/0': 'application/json',
        'changes/0': 'application/json', 'drawn/0': 'application/json',
    }.items():  # fmt: skip
        response, body = ask(server, path)
        assert response.status == 200 and response.headers['Content-Type'].startswith(kind) and body
        policy = response.headers['Content-Security-Policy']
        assert "default-src 'none'" in policy and "script-src 'self';" in policy
        assert 'unsafe' not in policy and 'http' not in policy
        assert response.headers['X-Content-Type-Options'] == 'nosniff'
        assert 'Access-Control-Allow-Origin' not in response.headers


def test_only_this_machine_is_served(server):
    assert server.server_address[0] == '127.0.0.1'


@pytest.mark.parametrize('method', ['GET', 'POST'])
@pytest.mark.parametrize(
    'path',
    ['/', '/state', '//state', '/picture/0', '/nonsense/state', '*', 'http://evil/state', '/%2e/'],
)  # fmt: skip
def test_without_the_token_there_is_nothing(server, path, method):
    response, body = ask(server, path, method, token=False)
    assert response.status == 403 and server.token.encode() not in body


def test_a_part_of_the_token_is_not_enough(server):
    for token in (server.token[:-1], server.token + 'a', server.token.swapcase(), 'é'):
        path = f'/{token}/state'.encode().decode('latin-1')
        connection = http.client.HTTPConnection('127.0.0.1', server.server_port, timeout=10)
        connection.putrequest('GET', '/x', skip_host=True)
        connection._buffer[0] = f'GET {path} HTTP/1.1'.encode('latin-1')
        connection.putheader('Host', f'127.0.0.1:{server.server_port}')
        connection.endheaders()
        assert connection.getresponse().status == 403
        connection.close()


@pytest.mark.parametrize('host', ['evil.org', 'evil.org:{port}', '127.0.0.1', '127.0.0.1:1', ''])
def test_other_names_of_this_machine_are_not_served(server, host):
    headers = dict(Host=host.format(port=server.server_port))
    assert status(server, 'state', headers=headers) == 403
    assert status(server, 'label/0', 'POST', YES, JSON | headers) == 403


def test_other_sites_may_not_write(server):
    for origin in ('http://evil.org', 'null', 'https://127.0.0.1'):
        assert status(server, 'label/0', 'POST', YES, JSON | dict(Origin=origin)) == 403
    # what a form can send without asking first
    assert status(server, 'label/0', 'POST', YES, {'Content-Type': 'text/plain'}) == 415
    assert not (server.desk.root / 'labels.csv').exists()


@pytest.mark.parametrize(
    'path',
    [
        '../../etc/passwd', '..%2f..%2fetc/passwd', '%2e%2e/%2e%2e/etc/passwd', '/etc/passwd',
        'picture/../../../etc/passwd', 'picture/..%2f..%2fetc%2fpasswd', 'picture//etc/passwd',
        'picture/%2fetc%2fpasswd', 'picture/north', 'picture/-1', 'picture/99', 'picture/1e0',
        'picture/0.png', 'picture/٣', 'picture/', 'picture', 'page.js/', '..', '.', 'labels.csv',
        'page.html%00', 'page.html?x', 'server.py', '../server.py', 'picture/0/0', 'changes/x',
        'mask/99', 'drawn/99', 'info/99',
    ],
)  # fmt: skip
def test_nothing_else_is_there(server, path):
    connection = socket.create_connection(('127.0.0.1', server.server_port), timeout=10)
    with connection:
        request = (
            f'GET /{server.token}/{path} HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n\r\n'
        )
        connection.sendall(request.encode())
        assert connection.recv(100).split()[1] in (b'404', b'403', b'400')


@pytest.mark.parametrize('method', ['PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE', 'X'])
def test_other_methods_are_refused(server, method):
    response, _ = ask(server, 'state', method)
    assert response.status == 501 and 'default-src' in response.headers['Content-Security-Policy']


@pytest.mark.parametrize(
    ('body', 'headers', 'expected'),
    [
        ('{', JSON, 400),
        ('[]', JSON, 400),
        ('[' * 100_000, JSON, 400),
        ('\xff', JSON, 400),
        ('{"labels": [1]}', JSON, 400),
        ('{"labels": [2], "since": 0}', JSON, 400),
        ('{"labels": [1, 0], "since": 0}', JSON, 400),
        ('{"labels": [true], "since": 0}', JSON, 400),
        ('{"labels": [null], "since": 0}', JSON, 400),
        ('{"labels": "1", "since": 0}', JSON, 400),
        ('{"labels": {"smoke": 1}, "since": 0}', JSON, 400),
        (YES, BYTES, 415),
        (YES + ' ' * MOST_JSON, JSON, 413),
        (YES, JSON | {'Content-Length': '-1'}, 411),
        (YES, JSON | {'Content-Length': '9' * 30}, 411),
    ],
)
def test_broken_labels_change_nothing(server, body, headers, expected):
    response, text = ask(server, 'label/0', 'POST', body.encode('latin-1'), headers)
    assert response.status == expected and text
    assert not (server.desk.root / 'labels.csv').exists()


def test_a_body_without_a_length_is_refused(server):
    with socket.create_connection(('127.0.0.1', server.server_port), timeout=10) as connection:
        connection.sendall(
            f'POST /{server.token}/label/0 HTTP/1.1\r\nHost: 127.0.0.1:{server.server_port}\r\n'
            'Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n'.encode()
        )
        assert b' 411 ' in connection.recv(100)


def test_masks_must_fit_their_pictures(server):
    pixels = SIZE[0] * SIZE[1]
    assert status(server, 'mask/0', 'POST', bytes(pixels + 1), BYTES) == 413
    assert status(server, 'mask/0', 'POST', bytes(pixels - 1), BYTES) == 400
    response, body = ask(server, 'mask/0', 'POST', b'\x02' * pixels, BYTES)
    assert response.status == 400 and b'values 0 to 1 and 255' in body
    assert status(server, 'mask/0') == 400 and status(server, 'proposal/0') == 400
    assert not (server.desk.root / 'masks').exists()


@pytest.mark.parametrize(
    'drawn',
    [
        {},
        dict(zones=3),
        dict(zones=[[[0, 0], [1, 1]]]),
        dict(zones=[[[0, 0], [9, 9], [1e9, 0]]]),
        dict(zones=[[[0, 0], [9, 9], [float('nan'), 0]]]),
        dict(zones=[[['a', 0], [9, 9], [9, 0]]]),
    ],
)
def test_zones_that_cannot_be_drawn_are_refused(server, drawn):
    content = dict(polygons=[], ignored=[]) | drawn if drawn else drawn
    response, body = ask(server, 'drawn/0', 'POST', json.dumps(content), JSON)
    assert response.status == 400 and body and not server.desk.zones.exists()


def test_zones_that_were_changed_elsewhere_are_not_replaced(tmp_path):
    none = dict(polygons=[], zones=[], ignored=[])
    first, second = ([[[k, 0], [9, 9], [9, 0]]] for k in (1, 2))

    def draw(number, known, **polygons):
        headers = JSON | ({'If-Match': known} if known else {})
        response, body = ask(
            server, f'drawn/{number}', 'POST', json.dumps(none | polygons), headers
        )
        return response.status, json.loads(body) if response.status == 200 else body.decode()

    with served(write_folder(tmp_path / 'plant', count=2)) as server:
        assert json.loads(ask(server, 'drawn/0')[1]) == dict(drawn=none, version=None)
        status, found = draw(0, None, zones=first)
        assert status == 200 and found['drawn'] == none | dict(zones=first)
        status, refused = draw(1, None, zones=second)  # the same camera
        assert status == 409 and 'zones.json: this view has been changed elsewhere' in refused
        assert json.loads(ask(server, 'drawn/1')[1]) == found
        assert draw(2, None, ignored=first)[0] == 200  # another camera
        status, after = draw(1, found['version'], zones=first, ignored=second)
        assert status == 200 and after['version'] != found['version']
        assert draw(0, found['version'])[0] == 409
        assert draw(0, after['version'])[1] == dict(drawn=none, version=None)


def test_links_do_not_lead_out(tmp_path):
    root = write_folder(tmp_path / 'plant', cameras=('north',))
    save(tmp_path / 'secret.png', np.zeros((*SIZE, 3), np.uint8))
    (root / 'link.png').symlink_to(tmp_path / 'secret.png')
    (root / 'inner.png').symlink_to(root / 'north/2026-03-01_0.png')
    with pytest.warns(UserWarning, match='1 pictures are left out: they lie outside'):
        desk = Desk(root)
    assert 'link.png' not in desk.names and 'inner.png' in desk.names
    (root / 'link.png').unlink()
    with served(root) as server:
        first = root / server.desk.names[0]
        first.unlink()
        assert status(server, 'picture/0') == 404
        first.symlink_to(tmp_path / 'secret.png')
        assert status(server, 'picture/0') == 403
        (root / 'masks').symlink_to(tmp_path)
        response, body = ask(server, 'mask/1', 'POST', bytes(SIZE[0] * SIZE[1]), BYTES)
        assert response.status == 400 and b'outside' in body


def test_a_full_disk_and_a_broken_table_are_said(tmp_path):
    root = write_folder(tmp_path / 'plant')
    with served(root) as server:
        assert status(server, 'label/0', 'POST', YES, JSON) == 200
        before = (root / 'labels.csv').read_bytes()
        with files_up_to(5):
            response, body = ask(server, 'label/1', 'POST', YES, JSON)
            assert response.status == 507 and b'File too large' in body
            response, body = ask(server, 'mask/1', 'POST', bytes(SIZE[0] * SIZE[1]), BYTES)
            assert response.status == 507
        assert (root / 'labels.csv').read_bytes() == before
        (root / 'labels.csv').write_text('image,split,smoke\na.png,train\n')
        response, body = ask(server, 'label/1', 'POST', YES, JSON)
        assert response.status == 400 and b'row 2 has 2 cells for 3 columns' in body
        (root / 'labels.csv').write_bytes(before)
        assert status(server, 'label/1', 'POST', YES, JSON) == 200
        assert not [path for path in root.rglob('*') if '.tmp' in path.name]
    assert list(labels(root).values()) == ['1', '1']


def test_one_connection_serves_many_requests(server):
    connection = http.client.HTTPConnection('127.0.0.1', server.server_port, timeout=10)
    for k in range(5):
        connection.request('GET', f'/{server.token}/picture/{k}')
        assert connection.getresponse().read()[:4] == b'\x89PNG'
    connection.close()


def test_broken_masks_are_said(tmp_path):
    root = write_folder(tmp_path / 'plant', cameras=('north',))
    names = [path.name for path in sorted((root / 'north').iterdir())]
    save_palette(root / 'masks/north' / names[0], np.zeros((4, 4), np.uint8))
    save_palette(root / 'masks/north' / names[1], np.full(SIZE, 7, np.uint8))
    (root / 'masks/north' / names[2]).write_bytes(b'no picture')
    white = np.zeros(SIZE, np.uint8)
    white[5:9] = 255
    for path in (root / 'masks/north' / names[3], tmp_path / 'out/masks/north' / names[4]):
        save(path, white)  # grey, so that 255 is white and hardly "ignore"
    save_palette(root / 'masks/north' / names[5], white)
    with served(root, proposals=tmp_path / 'out') as server:
        words = (b'mask is 4x4', b'the value 7', b'cannot be read', b'white_to_one.py %r')
        for number, word in enumerate(words):
            response, body = ask(server, f'mask/{number}')
            assert response.status == 400 and word.replace(b'%r', bytes(root / 'masks')) in body
        response, body = ask(server, 'proposal/4')
        assert response.status == 400 and b'255 means "ignore" here' in body
        assert ask(server, 'mask/5')[1] == white.tobytes()


def test_a_port_that_is_taken_is_a_mistake_of_the_user(server, tmp_path):
    desk = Desk(write_folder(tmp_path / 'plant'))
    for port in (server.server_port, 70000):
        with pytest.raises(UserError, match=f'port {port} cannot be used'):
            LabelServer(desk, port)


NO_REQUESTS = [b'\x00\xff\r\n\r\n', b'GET\r\n\r\n', b'GET / HTTP/9\r\n\r\n', b'\r\n']


@pytest.mark.parametrize('sent', NO_REQUESTS)
def test_what_is_no_request_harms_nobody(server, sent):
    with socket.create_connection(('127.0.0.1', server.server_port), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert server.token.encode() not in connection.recv(4096)
    assert status(server, 'state') == 200
