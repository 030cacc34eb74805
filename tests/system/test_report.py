"""The report in a real browser: no errors, sections present, self-contained, and usable on a phone."""

import shutil

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")


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
    return browser


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
    for key in ("verdicts", "geometry", "mechanisms", "law", "circuit", "provenance"):
        assert find(page, f"section#{key} h2"), key
    figures = find(page, "figure")
    assert len(figures) >= 5
    for figure in figures:
        assert figure.find_element("tag name", "svg").size["width"] > 200
        assert len(figure.find_element("tag name", "figcaption").text) > 40
    assert find(page, "a[download='cv-currents.csv']")


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


def test_dark_mode_has_light_text(page):
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    colour = page.execute_script("return getComputedStyle(document.body).color")
    assert min(int(part) for part in colour[4:-1].split(",")) > 200
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
