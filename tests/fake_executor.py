"""An executor that only notes what steps are to do."""

import json
from pathlib import Path

import pytest
from mmengine.config import Config

from mmsmoke.experiments import engine, work
from mmsmoke.experiments.step import Kind


class FakeExecutor:
    """Notes the calls; ``answer(kind, folder, arguments)`` says what they return."""

    def __init__(self, answer):
        self.answer, self.calls = answer, []

    def run(self, folder: Path, parallel: bool) -> dict:
        call = json.loads((folder / 'call.json').read_text())
        arguments = call['arguments']
        if 'config' in arguments:
            arguments['config'] = Config.fromfile(arguments['config'])
        self.calls.append((call['kind'], folder, arguments))
        return self.answer(call['kind'], folder, arguments)

    def stop(self) -> None:
        pass


def fake_engine(monkeypatch: pytest.MonkeyPatch, answer) -> FakeExecutor:
    """Let plans run, but no step do anything nor read any data."""
    executor = FakeExecutor(answer)
    monkeypatch.setattr(engine, 'Local', lambda jobs: executor)
    for name, kind in work.KINDS.items():
        monkeypatch.setitem(work.KINDS, name, Kind(kind.function, command=kind.command))
    return executor
