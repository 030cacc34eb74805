"""Tables for 80 columns, for 120 and for a pipe; texts of files are printed letter by letter."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from transslit import SlitNetwork, console, load_electrolyte
from transslit.library import shipped
from validation.commands import terminal
from validation.verdicts.compare import Pair
from validation.verdicts.verdict import Verdict

TITLE = "Ions that migrate inwards are joined by all those that drift"  # sixty columns
LONG = "The trans-slit voltage and the difference of the net charge density rise and fall together in time"
MARKUP = "[emim][BF4] in [bold]red[/bold] :smile:"
SOURCE = "[see table 2] <script> [/x]"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def verdict(identity, title, **fields):
    known = {"verdict": "not reproduced", "value": -0.012345678, "uncertainty": 0.0123, "unit": "ohm*m"}
    known |= {"id": identity, "title": title, "tolerance": "0.5 to 1.5", "required": True, "reason": "", "setting": ""}
    return Verdict(**(known | fields))


VERDICTS = [
    verdict("md.1.diffusion-share", TITLE),
    verdict("C02", "Short", verdict="pass", value=1.0, uncertainty=0.0, unit="1", required=False),
    verdict("law.gamma_eq1", MARKUP, verdict="inconclusive", value=None, uncertainty=None),
]


@pytest.fixture
def seen(monkeypatch):
    """`seen(width, function, *arguments)`: the lines that it prints in a terminal of that width; on a pipe for None."""

    def lines(width, function, *arguments):
        stream = io.StringIO()

        def opened(**options):
            return Console(file=stream, width=width or 80, force_terminal=width is not None, _environ={}, **options)

        monkeypatch.setattr(console, "Console", opened)
        function(*arguments)
        text = stream.getvalue()
        assert ("\x1b[" in text) == (width is not None)
        return COLOURS.sub("", text).splitlines()

    return lines


@pytest.mark.parametrize("width", [80, 120, None])
def test_titles_and_ids_are_whole(seen, width):
    found = seen(width, terminal.table, VERDICTS, Path("[bold]:smile:"))
    assert all(len(line) <= (width or 1000) for line in found)
    assert found[-1] == "report: [bold]:smile:/report.html"
    head = next(n for n, line in enumerate(found) if line.split()[:1] == ["id"])
    for row in VERDICTS:
        title = row.title + (" (required)" if row.required else "")
        at = next(n for n, line in enumerate(found) if n > head and row.id in line.split())
        (below,) = (n for n, line in enumerate(found) if line.rstrip().endswith(title))
        assert row.verdict in found[at]
        assert row.tolerance in found[at]
        assert below == (at if width is None else at + 1)
    assert "-0.01235 ± 0.012 ohm*m" in found[head + (1 if width is None else 2)]
    assert found[0].startswith("1 pass, 1 not reproduced, 1 inconclusive; required and failed: ")


@pytest.mark.parametrize("width", [36, 50, 66])
def test_ids_never_wrap(seen, width):
    found = seen(width, terminal.table, VERDICTS, Path("run"))
    for row in VERDICTS:
        assert any(line.split()[-1:] == [row.id] or f" {row.id} " in line for line in found), row.id
        assert any(row.tolerance in line for line in found)


def test_a_wide_terminal_has_a_line_a_verdict(seen):
    narrow, wide = (seen(width, terminal.table, VERDICTS, Path("run")) for width in (80, 160))
    assert wide == seen(None, terminal.table, VERDICTS, Path("run"))
    assert len(narrow) > len(wide) == 1 + 3 + 2  # the names of the columns, three verdicts, counts and place


def test_a_longer_title_is_broken_between_words(seen):
    found = seen(80, terminal.table, [verdict("step.pos.1.rho", LONG)], Path("run"))
    at = next(n for n, line in enumerate(found) if n and "step.pos.1.rho" in line)
    assert " ".join(" ".join(found[at + 1 : at + 3]).split()) == f"{LONG} (required)"
    assert all(line.startswith("    ") and len(line) <= 80 for line in found[at + 1 : at + 3])


@pytest.mark.parametrize("width", [80, 120, None])
def test_the_comparison_of_runs_too(seen, width):
    sides = ("reproduced", "not reproduced", 1.0, -0.012345678, 0.1, 0.0123)
    pairs = [
        Pair("md.1.diffusion-share", TITLE, "1", *sides, "verdict changed", -1.012, 0.1, evidence=MARKUP),
        Pair("C02", "Equal ones are counted alone", "1", "pass", "pass", 1.0, 1.0, 0.0, 0.0, "equal", 0.0, 0.0),
    ]
    found = seen(width, terminal.comparison, pairs, Path("[x]"), Path("b"))
    assert all(len(line) <= (width or 1000) for line in found)
    (row,) = (line for line in found if "md.1.diffusion-share" in line.split())
    assert "✗ not reproduced -0.01235 ± 0.012" in row
    assert any(TITLE in line for line in found)
    assert any(f"verdict changed, by 10 u; evidence: {MARKUP}" in line for line in found)
    assert found[0] == "1 verdict changed, 1 equal"
    assert "A [x]" in found[1]
    assert len(found) == (3 if width is None else 7)


@pytest.fixture
def marked(tmp_path):
    """KCl under another name, with a title and a source that look like rich's markup."""
    lines = shipped()["KCl"].read_text(encoding="utf-8").splitlines()
    text = "\n".join(f'title = "{MARKUP}"' if line.startswith("title") else line for line in lines)
    path = tmp_path / "own" / "transslit" / "electrolytes" / "marked.toml"
    path.parent.mkdir(parents=True)
    path.write_text(re.sub(r'source = "[^"]*"', f'source = "{SOURCE}"', text), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [80, 120, None])
def test_an_electrolyte_is_shown_letter_by_letter(seen, marked, width):
    found = seen(width, terminal.electrolyte, load_electrolyte(str(marked)), SlitNetwork(slit="2nm"))
    assert found[0] == MARKUP
    assert all(len(line) <= (width or 1000) for line in found)
    (at,) = (n for n, line in enumerate(found) if line.startswith("K diffusion coefficient "))
    if width is None:
        assert SOURCE in found[at]
        assert found[at].endswith("infinite dilution; 1 M is slower")
    else:
        assert found[at].split() == ["K", "diffusion", "coefficient", "1.957e-09", "m²/s"]
        assert found[at + 1].strip() == SOURCE


@pytest.mark.parametrize("title", [MARKUP, "[/x]"])
def test_list_and_show_print_titles_letter_by_letter(marked, title, monkeypatch, capsys):
    from validation import cli

    marked.write_text(marked.read_text(encoding="utf-8").replace(MARKUP, title), encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(marked.parents[2]))
    assert cli.run(cli.app, "transslit", ["electrolytes", "list"]) == 0
    assert f"marked    {title} [the user's folder]\n" in capsys.readouterr().out
    assert cli.run(cli.app, "transslit", ["electrolytes", "show", str(marked)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"{title}\n")
    assert SOURCE in shown
