from collections.abc import Mapping, Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence]) -> str:
    """Return a table that reads well in a terminal and in a document, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    # a rule to the right needs two characters
    widths = [max(2, *map(len, column)) for column in zip(*cells, strict=True)]
    right = [_all_numbers(column[1:]) for column in zip(*cells, strict=True)]
    rule = [
        '-' * (width - 1) + (':' if to_right else '-')
        for width, to_right in zip(widths, right, strict=True)
    ]
    lines = [
        ' | '.join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        for row in [cells[0], rule, *cells[1:]]
    ]
    return '\n'.join(f'| {line} |' for line in lines)


def rows_table(rows: Sequence[Mapping]) -> str:
    """Return a table of rows with the same keys, which are its header."""
    return markdown_table(list(rows[0]), [list(row.values()) for row in rows])


def _all_numbers(cells: Sequence[str]) -> bool:
    return all(cell[:1].isdigit() or cell in ('', '–') for cell in cells)
