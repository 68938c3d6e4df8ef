from typing import Any


def plain(value: Any) -> Any:
    """Return a value in plain JSON types, so that it equals what is read back from a file."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | None) else str(value)


def plain_numbers(metrics: dict[str, Any]) -> dict[str, float]:
    """Return the numbers of metrics as Python floats, without those that do not exist (nan)."""
    return {name: float(value) for name, value in metrics.items() if value == value}


def differences(old: Any, new: Any, name: str = '') -> list[str]:
    """List where two nested settings differ, as 'model.backbone.depth: 18 -> 50'."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        return [
            line
            for key in keys
            for line in differences(old.get(key), new.get(key), f'{name}.{key}'.lstrip('.'))
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [line for i, (a, b) in pairs for line in differences(a, b, f'{name}[{i}]')]
    return [] if old == new else [f'{name}: {_short(old)} -> {_short(new)}']


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + '…'
