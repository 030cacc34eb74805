"""Texts of a user's file are no markup: both versions of the report show them as they are written."""

import collections
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from matplotlib.figure import Figure

from transslit import Electrolyte, load_electrolyte
from transslit.style import STYLE, tagged
from transslit.svg import size, tags, to_svg
from validation.presets import ValidateConfig
from validation.report import page as report
from validation.report.provenance import provenance
from validation.report.tables import Facts, ReportData
from validation.verdicts.compare import compare
from validation.verdicts.verdict import Estimate, judge

TITLE = "[emim][BF4] in [bold]red[/bold]"
SOURCE = "[see table 2] <script>alert(1)</script> | a_b_ & *c* &amp; `d` $e$"
NOTE = "[/x] </td></p> ~~f~~ \\[g\\] \"h\" 'i'"
NAME = "1. _K_ Cl"
SETTING = f"{NAME} at <b>1 M</b> [/x]"
TAGS = {"h1", "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "img"}  # of report.md
VOID = {"meta", "input", "br", "img", "hr", "link"}
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


class Page(HTMLParser):
    """Elements in order: tag, attributes, and all text within."""

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)
        assert not self._open  # what is opened is closed

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_endtag(self, tag):
        assert self._open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def texts(self, tag):
        return [element["text"].strip() for element in self.elements if element["tag"] == tag]


@pytest.fixture(scope="module")
def data():
    """A run with one verdict, of an electrolyte whose file is full of markup."""
    content = load_electrolyte("KCl").model_dump()
    content |= {"name": NAME, "title": TITLE}
    content["ions"][0]["diameter"] |= {"source": SOURCE, "note": NOTE}
    salt = Electrolyte.model_validate(content)
    config = ValidateConfig(slit=0.59e-9, electrolyte=salt, concentration=salt.concentration)
    stage = {"wall_s": 2.0, "cpu_s": 3.0, "seed": 0, "platform": "here", "digest": "d" * 64, "inputs": {}}
    stages = {"continuum-cv": stage | {"config": {"electrolyte": {"title": TITLE, "unit": "Å"}}}}
    facts = Facts(
        setting=config.setting,
        slit=config.slit,
        network=config.network,
        electrolyte=salt,
        provenance=provenance(config.seed, stages),
    )
    verdict = judge("verify.one", TITLE, Estimate.exact(1.0), low=0.5, reason=NOTE, setting=SETTING)
    return ReportData([verdict], {}, facts)


def test_the_page_shows_texts_as_they_are_written(data):
    page = Page(report.render(data, collections.defaultdict(lambda: "<svg></svg>")))
    assert len(page.texts("script")) == 1  # the page's own
    assert TITLE in page.texts("p")
    assert [SOURCE, NOTE] in [page.texts("td")[k : k + 2] for k in range(len(page.texts("td")))]
    assert TITLE in page.texts("th")
    assert SETTING in page.texts("td")
    assert page.texts("title") == [f"transslit: {NAME} 1 M, d = 0.59 nm"]
    assert any(f'"title": "{TITLE}"' in text and '"unit": "Å"' in text for text in page.texts("pre"))
    (head,) = [text for text in page.texts("th") if text.startswith(TITLE) and text != TITLE]
    assert head.endswith(f"at least 0.5: {NOTE}")


def test_the_notebook_version_shows_texts_as_they_are_written(data, tmp_path, monkeypatch):
    monkeypatch.setattr("validation.report.page._svg", lambda figure: '<svg viewBox="0 0 1 1"></svg>')
    data.write(tmp_path)
    report.publish(tmp_path)
    page = Page(MARKDOWN.render((tmp_path / "report.md").read_text(encoding="utf-8")))
    assert {element["tag"] for element in page.elements} == TAGS
    assert f"Electrolyte: {TITLE}" in page.texts("p")
    assert [SOURCE, NOTE] in [page.texts("td")[k : k + 2] for k in range(len(page.texts("td")))]
    assert f"{TITLE} (at least 0.5)" in page.texts("td")
    assert page.texts("p")[0].startswith(f"{NAME} 1 M, d = 0.59 nm. Share")


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_a_comparison_shows_texts_as_they_are_written(data, tmp_path, suffix):
    folders = tmp_path / "<a>*b*", tmp_path / "[c](d)"
    for folder in folders:
        data.write(folder)
    out = tmp_path / f"changes{suffix}"
    report.render_comparison(compare(*folders), *folders, out)
    written = out.read_text(encoding="utf-8")
    page = Page(MARKDOWN.render(written) if suffix == ".md" else written)
    assert any(text.startswith(f"A is {folders[0]}, B is {folders[1]};") for text in page.texts("p"))
    assert TITLE in page.texts("td") + page.texts("th")


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"])))
@example("-")
@example("- a")
@example("---")
@example("1) a")
@example("1. a")
@example("-1.5")
@example(SOURCE)
@example(NOTE)
def test_a_text_in_markdown_reads_as_itself(written):
    """In a cell, and at the start of a line; white space around it is no part of it."""
    shown = report.markdown_text(written)
    cells = Page(MARKDOWN.render(f"| head |\n|---|\n| {shown} |\n")).texts("td")
    assert cells == [written.strip()]
    assert Page(MARKDOWN.render(shown.strip() + " end")).texts("p") == [f"{written.strip()} end".strip()]


def test_a_text_of_several_lines_is_one_line_in_markdown():
    assert report.markdown_text("a\nb\r\n| c") == "a b \\| c"


def test_a_figure_shows_texts_as_they_are_written():
    """Its labels, and the tags that buttons show: what artists are tagged with first, then what second."""
    figure = Figure(figsize=(4, 3))
    axes = figure.subplots()
    axes.plot([1, 2], [1, 2], label="<script>[/x]", gid=tagged("<script>[/x]", "a & b"))
    axes.plot([1, 2], [2, 1], gid=tagged("c", "a & b"))
    axes.legend()
    svg = to_svg(figure, "one", STYLE)
    page = Page(svg)
    assert "<script>[/x]" in page.texts("text")
    assert not page.texts("script")
    assert tags(svg) == ["<script>[/x]", "c", "a & b"]
    assert size(svg) == ("288", "216")
