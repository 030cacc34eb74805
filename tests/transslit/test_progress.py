"""Progress in a log: a line when a task begins and ends, and at once when there is something new to say."""

from __future__ import annotations

from transslit.progress import Progress


def test_an_estimate_does_not_wait_in_a_log(capsys):
    """Twice the same note is one line, no note is none within the half minute."""
    with Progress().task("filling", 4) as advance:
        advance(0, "(about 3 min)")
        advance(1, "(about 3 min)")
        advance(2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "filling ..."
    assert [line for line in lines if "about 3 min" in line] == [lines[1]]
    assert len(lines) == 3


def test_quiet_is_quiet(capsys):
    with Progress(quiet=True).task("filling", 4) as advance:
        advance(4, "done")
    assert capsys.readouterr() == ("", "")
