"""Others are told of events at least once, and nobody waits for them."""

import json
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from monitoring import draw_folder, predict

from mmsmoke.inference import CameraMonitor
from mmsmoke.inference.monitor import notify as module
from mmsmoke.inference.monitor.notify import Notifier

PATIENCE = 30


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def hook():
    """A webhook that answers with the codes of a list, then with 200; notes what it gets."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            data = self.rfile.read(int(self.headers['Content-Length']))
            server.got.append((self.headers['Content-Type'], json.loads(data)))
            self.send_response(server.codes.pop(0) if server.codes else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Hook)
    server.codes, server.got = [], []
    server.address = f'http://127.0.0.1:{server.server_port}/x'
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def events(count):
    return [dict(id=f'e{k}', peak=k) for k in range(count)]


def test_events_are_posted_in_their_order(hook):
    notifier = Notifier(hook.address, '', print)
    notifier.offer(events(3))
    notifier.close(PATIENCE)
    assert notifier.waiting() == []
    assert hook.got == [('application/json', one) for one in events(3)]


def test_what_fails_is_tried_again(hook):
    said = []
    hook.codes += [500, 404]
    notifier = Notifier(hook.address, '', said.append, waits=(0.01, 0.02))
    notifier.offer(events(2))
    notifier.close(PATIENCE)
    assert [one['id'] for _, one in hook.got] == ['e0', 'e0', 'e0', 'e1']
    assert [line.split(' answers ')[1][:3] for line in said] == ['500', '404']


def speak_another_protocol(listener):
    with listener, listener.accept()[0] as connection:
        connection.recv(1 << 16)
        connection.sendall(b'SSH-2.0-none\r\n\r\n')


def test_what_is_no_web_server_is_said_and_tried_again():
    said = []
    listener = socket.create_server(('127.0.0.1', 0))
    address = f'http://127.0.0.1:{listener.getsockname()[1]}/'
    thread = threading.Thread(target=speak_another_protocol, args=(listener,))
    thread.start()
    notifier = Notifier(address, '', said.append, waits=(0.01, 60))
    notifier.offer(events(1))
    wait_for(lambda: len(said) == 2)  # nobody answers the second time
    notifier.close(0)
    thread.join()
    assert said[0] == 'an event cannot be delivered: SSH-2.0-none'
    assert 'cannot be reached' in said[1] and len(notifier.waiting()) == 1


def test_an_address_that_cannot_be_called_is_said():
    said = []
    notifier = Notifier('http://127.0.0.1:port/', '', said.append, waits=(60, 60))
    notifier.offer(events(1))
    wait_for(lambda: said)
    notifier.close(0)
    assert said == ["an event cannot be delivered: nonnumeric port: 'port'"]


def test_what_never_works_is_given_up(hook):
    said = []
    hook.codes += [500] * module.TRIES
    notifier = Notifier(hook.address, '', said.append, waits=(0.001, 0.001))
    notifier.offer(events(2))
    notifier.close(PATIENCE)
    assert said[-1] == f'e0 is given up after {module.TRIES} tries'
    assert hook.got[-1][1]['id'] == 'e1' and notifier.waiting() == []


def test_nobody_waits_and_the_queue_is_bounded(hook):
    said = []
    address, hook.codes = 'http://127.0.0.1:9/none', []
    notifier = Notifier(address, '', said.append, waits=(60, 60))
    begun = time.monotonic()
    notifier.offer(events(module.MOST + 5))
    assert time.monotonic() - begun < 5
    assert len(notifier.waiting()) == module.MOST and notifier.waiting()[0]['id'] == 'e5'
    assert '5 given up' in said[0]
    wait_for(lambda: any('cannot be reached' in line for line in said))
    notifier.close(0)
    assert len(notifier.waiting()) == module.MOST


def test_a_command_gets_the_event_without_a_shell(tmp_path):
    said = []
    script = tmp_path / 'note.py'
    script.write_text(
        'import pathlib, sys\n'
        'pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())\n'
        'sys.exit(len(sys.argv) - 2)\n'
    )
    command = f'{sys.executable} {script} {tmp_path}/{{event}}'
    notifier = Notifier('', command, said.append)
    nasty = dict(id='e0; touch x $(touch y)', peak=1)
    notifier.offer([nasty])
    notifier.close(PATIENCE)
    assert said == [] and json.loads((tmp_path / nasty['id']).read_text()) == nasty
    notifier = Notifier('', f'{command} more', said.append, waits=(60, 60))
    notifier.offer(events(1))
    wait_for(lambda: said)
    assert said[0].endswith('ends with exit code 1') and len(notifier.waiting()) == 1
    notifier.close(0)
    notifier = Notifier('', str(tmp_path / 'none'), said.append, waits=(60, 60))
    notifier.offer(events(1))
    wait_for(lambda: len(said) == 2)
    assert 'cannot be delivered' in said[1]
    notifier.close(0)


def test_what_a_stopped_monitor_could_not_deliver_is_delivered_by_the_next(tmp_path, hook):
    cameras = dict(north=draw_folder(tmp_path / 'north', [0, 4, 0, 0, 0, 5, 0]))
    settings = dict(high=3, low=1, merge_seconds=60, utc=True, clip_frames=0, batch_size=1)
    hook.codes += [503] * 100
    said = []
    monitor = CameraMonitor(
        predict, cameras, tmp_path / 'out', said.append, webhook=hook.address, **settings
    )
    monitor.run(once=True)
    state = json.loads((tmp_path / 'out/state.json').read_text())
    assert len(state['unsent']) == 4 and any('503' in line for line in said)
    hook.codes.clear()
    hook.got.clear()
    monitor.run(once=True)
    first, second = map(json.loads, (tmp_path / 'out/events.jsonl').read_text().splitlines())
    told = [(one['id'], one.pop('state')) for _, one in hook.got]
    expected = [(one['id'], what) for one in (first, second) for what in ('begun', 'ended')]
    assert told == expected
    assert [hook.got[k][1] for k in (1, 3)] == [first, second]
    assert json.loads((tmp_path / 'out/state.json').read_text())['unsent'] == []


def test_a_beginning_is_told_once_it_has_lasted(tmp_path, hook):
    cameras = dict(north=draw_folder(tmp_path / 'north', [0, 4, 4, 4, 4, 0, 0, 0]))
    settings = dict(
        high=3, low=1, merge_seconds=60, min_seconds=120, utc=True, clip_frames=0, batch_size=1
    )
    CameraMonitor(predict, cameras, tmp_path / 'out', print, webhook=hook.address, **settings).run(
        once=True
    )
    assert [(one['state'], one['seconds']) for _, one in hook.got] == [
        ('begun', 120.0), ('ended', 180.0)
    ]  # fmt: skip
