"""The report in a real browser: no errors, self-contained, answers to pointer and keys, fits a phone and paper."""

import base64
import dataclasses
import io
import re
import shutil
import urllib.parse
from itertools import pairwise

import pandas as pd
import pytest

from md.shipped import SHIPPED
from transslit.style import STYLE
from transslit.svg import to_svg
from validation.chain import judge
from validation.claims import CLAIMS
from validation.claims.registry import Finding
from validation.report.page import render
from validation.report.sections import all_figures
from validation.report.tables import ReportData
from validation.verdicts.verdict import part

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
WebDriverWait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, or a skip that says what to install."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, finished):
    browser.set_window_size(1200, 900)
    browser.get((finished[0] / "report.html").as_uri())
    WebDriverWait(browser, 20).until(lambda page: not find(page, "figure noscript"))
    return browser


WATCH = """
window.shifts = [];
new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((entry) => entry.value)))
  .observe({type: "layout-shift", buffered: true});
window.places = () => Object.fromEntries([...document.querySelectorAll("figure, h2, footer")].map(
  (part) => [part.id || part.tagName, part.getBoundingClientRect().top + scrollY]));
addEventListener("DOMContentLoaded", () => {
  window.before = {places: places(), drawn: document.querySelectorAll("figure svg").length};
});
"""
READ_THROUGH = """
const done = arguments[0];
function step() {
  scrollBy({top: innerHeight / 2, behavior: "instant"});
  const end = scrollY + innerHeight >= document.documentElement.scrollHeight - 1;
  const waiting = document.querySelector("figure noscript");
  setTimeout(end && !waiting ? done : () => requestAnimationFrame(step), 100);
}
step();
"""


@pytest.fixture(params=[(380, ""), (380, "#mechanisms"), (1200, ""), (1200, "#mechanisms")], ids=str)
def watched(browser, finished, request):
    """The page, opened at its top or at a section and read to its end; a script notes every layout shift."""
    width, place = request.param
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.get("about:blank")  # a change of the section alone would not load the page again
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    browser.get((finished[0] / "report.html").as_uri() + place)
    browser.execute_async_script(READ_THROUGH)
    yield browser
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def find(page, selector):
    return page.find_elements("css selector", selector)


def test_no_errors_and_nothing_fetched(page, finished):
    assert page.get_log("browser") == []
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    text = (finished[0] / "report.html").read_text(encoding="utf-8")
    assert len(text) < 10e6
    assert "src=" not in text.replace('src="data:', "")


def test_it_opens_with_the_answer(page):
    cards = [card.text for card in find(page, "#answers .card")]
    assert any(card.startswith("Continuum, CV") and "yes" in card for card in cards)


def test_every_section_has_its_figures_captions_and_data(page):
    for key in ("claims", "verdicts", "geometry", "mechanisms", "law", "circuit", "provenance"):
        assert find(page, f"section#{key} h2"), key
    figures = {figure.get_attribute("id"): figure for figure in find(page, "figure")}
    assert set(figures) >= {"network", "cv-currents", "law-figure", "voltammograms"}
    for figure in figures.values():
        assert figure.find_element("tag name", "svg").size["width"] > 200
        assert len(figure.find_element("tag name", "figcaption").text) > 40
        assert f"--figure {figure.get_attribute('id')}" in figure.text
        assert figure.find_element("css selector", f"a[download='{figure.get_attribute('id')}.csv']")


def test_a_page_of_atoms_alone_shows_them_and_says_what_they_lack(browser, tmp_path):
    judge(SHIPPED / "charge-step-10ps", tmp_path / "judged")
    browser.get((tmp_path / "judged" / "report.html").as_uri())
    WebDriverWait(browser, 20).until(lambda page: not find(page, "figure noscript"))
    assert browser.get_log("browser") == []
    figures = {figure.get_attribute("id"): figure for figure in find(browser, "figure")}
    assert set(figures) >= {"network", "filling", "contents", "differences", "step-charges", "references"}
    labels = [button.text for button in figures["filling"].find_elements("css selector", ".toggles button")]
    assert {"atoms", "slit 1", "slit 2", "slit 3"} <= set(labels)
    assert "no temperature.parquet beside the record" in browser.find_element("id", "verdicts").text


def test_the_links_of_the_contents_lead_somewhere(page):
    for link in find(page, "nav a"):
        assert find(page, link.get_attribute("href").split("#")[1].join(("[id='", "']")))


@pytest.mark.parametrize("width", [380, 1200])
def test_nothing_sticks_out_sideways(page, width):
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    )
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_nothing_shifts_while_it_is_read(watched):
    """Sum of all layout shifts, each the area that moved times the distance, as shares of the window."""
    assert sum(watched.execute_script("return window.shifts")) < 0.02


def test_figures_and_headings_stand_where_they_stood_before_any_was_drawn(watched):
    """To a pixel; neither a value that is read off a figure nor a part that is hidden moves anything."""
    before = watched.execute_script("return window.before")
    assert before["drawn"] == 0
    assert len(before["places"]) > 10
    assert watched.execute_script("return window.places()") == pytest.approx(before["places"], abs=1)
    find(watched, "#voltammograms svg")[0].send_keys(Keys.ARROW_RIGHT)
    assert find(watched, "#voltammograms .tip")[0].text
    find(watched, "#voltammograms .toggles button")[0].send_keys(Keys.SPACE)
    assert watched.execute_script("return window.places()") == pytest.approx(before["places"], abs=1)


def test_dark_mode_has_light_text(page):
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    colour = page.execute_script("return getComputedStyle(document.body).color")
    assert min(int(part) for part in colour[4:-1].split(",")) > 200
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_it_opens_within_a_second(browser, finished):
    """Processor time of the page's thread, parsing, layout and script together: the machine may be busy, it may not."""
    browser.get("about:blank")
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    browser.get((finished[0] / "report.html").as_uri())
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    spent = {metric["name"]: metric["value"] for metric in metrics}
    assert 0.01 < spent["TaskDuration"] < 0.4


def test_a_screen_reader_finds_its_way(page):
    for landmark in ("header", "nav[aria-label]", "main", "footer"):
        assert len(find(page, landmark)) == 1, landmark
    assert page.execute_script("return document.documentElement.lang") == "en"
    levels = [int(heading.tag_name[1]) for heading in find(page, "h1, h2, h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = page.execute_script("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    for svg in find(page, "figure svg"):
        named = svg.get_attribute("aria-labelledby"), svg.get_attribute("aria-describedby")
        assert svg.get_attribute("role") == "img"
        assert all(find(page, f"[id='{name}']")[0].text for name in named)
    assert not find(page, "th:not([scope])")
    for region in find(page, ".scroll"):
        assert region.get_attribute("tabindex") == "0"
        assert region.get_attribute("aria-label")


def toggle(page, figure, tag):
    (button,) = [b for b in find(page, f"#{figure} .toggles button") if b.text == tag]
    lines = [g for g in find(page, f"#{figure} g[data-tags]") if tag in g.get_attribute("data-tags").split("~")]
    return button, lines


def seen(lines):
    return {line.value_of_css_property("display") != "none" for line in lines}


@pytest.mark.parametrize("tag", ["diffusion", "slits 2 and 3"])
def test_mechanisms_and_slits_hide_by_mouse(page, tag):
    button, lines = toggle(page, "cv-currents", tag)
    assert len(lines) >= 4
    assert seen(lines) == {True}
    button.click()
    assert (button.get_attribute("aria-pressed"), seen(lines)) == ("false", {False})
    others = [g for g in find(page, "#cv-currents g[data-tags]") if g not in lines]
    assert seen(others) == {True}
    button.click()
    assert (button.get_attribute("aria-pressed"), seen(lines)) == ("true", {True})


def test_they_hide_by_keyboard_and_what_two_buttons_hide_both_must_show(page):
    first, lines = toggle(page, "cv-currents", "diffusion")
    second, _ = toggle(page, "cv-currents", "slits 1 and 2")
    both = [g for g in lines if g.get_attribute("data-tags") == "diffusion~slits 1 and 2"]
    assert len(both) == 1
    first.send_keys(Keys.SPACE)
    second.send_keys(Keys.ENTER)
    assert seen(both) == {False}
    first.send_keys(Keys.SPACE)
    assert seen(both) == {False}
    second.send_keys(Keys.SPACE)
    assert seen(both) == {True}


def table(page, figure):
    link = find(page, f"#{figure} a[download]")[0].get_attribute("href")
    return pd.read_csv(io.StringIO(urllib.parse.unquote(link.split(",", 1)[1])))


def reading(page, figure):
    said = find(page, f"#{figure} .tip")[0].text
    tags, up, across = re.fullmatch(r"(.*): .* = (\S+) at .* = (\S+)", said).groups()
    return tags, float(up), float(across)


def test_the_pointer_reads_the_data(page):
    """The value that shows under the pointer is one of the downloaded table."""
    svg = find(page, "#cv-currents svg")[0]
    page.execute_script("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", svg)
    near = page.execute_script(
        "const path = document.querySelector(\"#cv-currents g[data-tags='migration~slits 1 and 2'] path\");"
        "const box = path.getBoundingClientRect(); return [box.left + 0.3 * box.width, box.top + 3]"
    )
    page.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": near[0], "y": near[1]})
    tags, up, across = reading(page, "cv-currents")
    mechanism, place = tags.split(", ")
    data = table(page, "cv-currents")
    rows = data[data["i"] == int(place.split()[1])]
    column = {"total": "I_A_per_m"}.get(mechanism, f"I_{mechanism}_A_per_m")
    nearest = rows.iloc[(rows["time_s"] * 1e6 - across).abs().argmin()]
    assert nearest["time_s"] * 1e6 == pytest.approx(across, abs=0.06)
    assert nearest[column] * 1e3 == pytest.approx(up, rel=0.02, abs=0.01)


def test_the_arrows_read_the_data(page):
    svg = find(page, "#voltammograms svg")[0]
    svg.send_keys(Keys.ARROW_RIGHT)
    first = reading(page, "voltammograms")
    svg.send_keys(Keys.ARROW_DOWN)
    second = reading(page, "voltammograms")
    assert (first[0], second[0]) == ("continuum", "nano-circuitry")
    data = table(page, "voltammograms")
    for source, up, across in (first, second):
        rows = data[data["source"] == source]
        off = (rows["V_m_V"] * 1e3 - across).abs() / 400 + (rows["I_m_A"] * 1e3 - up).abs() / rows[
            "I_m_A"
        ].abs().max() / 1e3
        assert off.min() < 0.01
    svg.send_keys(Keys.ESCAPE)
    assert find(page, "#voltammograms .tip")[0].text == ""


@pytest.fixture(scope="module")
def claimed(finished, tmp_path_factory):
    """The page with the evidence of one claim; figures but the claim's are blank."""
    data = ReportData.read(finished[0])
    table = pd.DataFrame({"what": ["mPNP", "NCM", "NCM"], "layers": [6, 6, 10], "cpu_s": [3.0, 0.02, 0.03]})
    verdict = CLAIMS["C26"].verdict(Finding((part("Ratio", 150.0, low=10.0, reason="planted"),), "planted", table))
    data = dataclasses.replace(data, verdicts=[*data.verdicts, verdict])
    drawings = {figure.key: "<svg></svg>" for figure in all_figures(data)}
    drawings["C26"] = to_svg(CLAIMS["C26"].draw(table), "C26", STYLE)
    page = tmp_path_factory.mktemp("claimed") / "report.html"
    page.write_text(render(data, drawings), encoding="utf-8")
    return page


@pytest.mark.parametrize("way", ["click", "link"])
def test_the_figure_of_a_claim_waits_until_it_is_asked_for(browser, claimed, way):
    browser.get(claimed.as_uri())
    assert not find(browser, "#C26 svg")
    find(browser, "#claim-C26 summary" if way == "click" else "a[href='#claim-C26']")[0].click()
    WebDriverWait(browser, 5).until(lambda page: find(page, "#C26 svg"))
    assert {button.text for button in find(browser, "#C26 .toggles button")} == {"mPNP", "NCM"}
    svg = find(browser, "#C26 svg")[0]
    assert svg.size["width"] > 200
    svg.send_keys(Keys.ARROW_RIGHT)
    assert "processor time" in find(browser, "#C26 .tip")[0].text
    assert browser.get_log("browser") == []


def test_a_claim_opens_with_room_for_its_figure(browser, claimed):
    """Measured in the turn of the script that opens it, before the event that draws the figure; and after."""
    browser.get(claimed.as_uri())
    height = "document.getElementById('C26').getBoundingClientRect().height"
    opened = "document.getElementById('claim-C26').open = true;"
    drawn, room = browser.execute_script(f"{opened} return [document.querySelectorAll('#C26 svg').length, {height}]")
    assert drawn == 0
    WebDriverWait(browser, 5).until(lambda page: find(page, "#C26 svg"))
    assert browser.execute_script(f"return {height}") == pytest.approx(room, abs=1)
    assert room > find(browser, "#C26 svg")[0].size["height"] > 100


def test_without_a_script_a_claim_has_its_figure(browser, claimed):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(claimed.as_uri())
    find(browser, "#claim-C26 summary")[0].click()
    assert find(browser, "#C26 svg")[0].size["width"] > 200
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_without_a_script_it_is_still_a_page(browser, finished):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get((finished[0] / "report.html").as_uri())
    assert find(browser, "figure svg")[0].size["width"] > 200
    assert find(browser, "#cv-currents a[download]")
    assert not any(bar.is_displayed() for bar in find(browser, ".toggles"))
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_it_prints_on_paper(page):
    printed = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert printed.startswith(b"%PDF")
    assert 4 <= pages <= 30
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    for hidden in ("nav", ".toggles", ".made"):
        assert not any(part.is_displayed() for part in find(page, hidden)), hidden
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
