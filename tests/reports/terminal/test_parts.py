import io

from rich.console import Console

from cuesense.reports.terminal.parts import borderless_table, warning_lines


def printed(*parts) -> str:
    console = Console(width=60, file=io.StringIO())
    console.print(*parts, sep="\n")
    return console.file.getvalue()


def test_columns_stand_apart_by_the_gap():
    for gap in (1, 2):
        table = borderless_table(gap)
        table.add_column("a")
        table.add_column("b")
        table.add_row("x", "y")
        assert [line.rstrip() for line in printed(table).splitlines()] == [f"a{' ' * gap}b", f"x{' ' * gap}y"]


def test_warnings_are_lines_without_commands():
    assert printed(*warning_lines(["one", "[b]two\x1b"])) == "Warning: one\nWarning: [b]two\ufffd\n"
    assert warning_lines([]) == []
