"""The pages: escaped, self-contained, and opened in a real browser that sees no request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from macro_assets.publishing.html import chart_page, index_page

HOSTILE = "</title><script>alert(1)</script> $\\href{javascript:alert(2)}{x}$ & \"'"
SYNTHETIC = {
    "data": [{"type": "scatter", "x": ["2020-01-01", "2020-02-01"], "y": [1.0, 2.0], "name": HOSTILE}],
    "layout": {"title": {"text": HOSTILE}, "width": 600, "height": 400},
}
CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip


class Tags(HTMLParser):
    """Collects the start tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_hostile_title_and_figure_add_no_element() -> None:
    harmless = chart_page(json.dumps({"data": [], "layout": {}}), "t")
    hostile = chart_page(json.dumps(SYNTHETIC), HOSTILE)
    assert [t for t, _ in Tags(hostile).found] == [t for t, _ in Tags(harmless).found]
    data = re.search(r'<script type="application/json" id="figure">(.*?)</script>', hostile, flags=re.DOTALL)
    assert data is not None
    assert not set("<>&") & set(data[1])
    assert json.loads(data[1]) == SYNTHETIC


def test_policy_allows_no_network_and_only_the_pages_own_scripts() -> None:
    head = chart_page(json.dumps(SYNTHETIC), "t")[:2000]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', head)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))
    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"('sha256-[\w+/=]+' ?){2}", rules["script-src"])
    assert not {"connect-src", "frame-src"} & set(rules)


def test_page_links_to_nothing() -> None:
    attributes = [a for _, attrs in Tags(chart_page(json.dumps(SYNTHETIC), "t")).found for a in attrs]
    assert not {"src", "href"} & set(attributes)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"data": []}', "<html>", '{"data": [NaN], "layout": {}}'])
def test_what_is_no_figure_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a Plotly figure"):
        chart_page(text, "t")


def test_index_escapes_everything_and_links_to_each_page() -> None:
    svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    page = index_page({HOSTILE: [("credit_spread", HOSTILE, HOSTILE, svg)], "labor": [("../x?y", "t", "s", "")]})
    tags = Tags(page).found
    assert "script" not in {t for t, _ in tags}
    links = [a["href"] for t, a in tags if t == "a"]
    assert links == ["credit_spread.html", "credit_spread.html", "..%2Fx%3Fy.html"]
    assert [t for t, _ in tags if t == "h2"] == ["h2", "h2"], "a heading for each section"
    assert [str(a["src"])[:26] for t, a in tags if t == "img"] == ["data:image/svg+xml;base64,"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as api:
        profile = tmp_path_factory.mktemp("profile")
        context = api.chromium.launch_persistent_context(
            str(profile), executable_path=CHROMIUM, headless=True, args=list(FLAGS)
        )
        yield context
        context.close()


def opened(browser: Any, page: str, folder: Path) -> tuple[Any, list[str], list[str]]:
    """The page in a tab, the requests it makes besides itself, and its errors; both lists grow while it is open."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    tab, requests, complaints = browser.new_page(), [], []
    own = path.as_uri()
    tab.on("request", lambda r: requests.append(r.url) if r.url != own and not r.url.startswith("data:") else None)
    tab.on("websocket", lambda w: requests.append(w.url))
    tab.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda e: complaints.append(str(e)))
    tab.on("dialog", lambda d: complaints.append(f"dialog: {d.message}"))
    tab.goto(own)
    return tab, requests, complaints


def test_chart_page_draws_without_a_request_or_a_complaint(browser: Any, tmp_path: Path) -> None:
    tab, requests, complaints = opened(browser, chart_page(json.dumps(SYNTHETIC), HOSTILE), tmp_path)
    tab.wait_for_selector("#chart[data-drawn=yes] .scatterlayer path.js-line", state="attached", timeout=20_000)
    tab.wait_for_timeout(300)  # for what a page might still ask after drawing
    assert (requests, complaints) == ([], [])
    assert tab.locator("a[href^='javascript']").count() == 0
    assert tab.title().startswith("</title><script>")
    assert tab.evaluate("typeof MathJax") == "undefined"


def test_chart_page_cannot_reach_the_network(browser: Any, tmp_path: Path) -> None:
    tab, _, complaints = opened(browser, chart_page(json.dumps(SYNTHETIC), "t"), tmp_path)
    assert tab.evaluate("fetch('https://example.invalid/').then(() => 'sent', e => e.name)") == "TypeError"
    assert any("Content Security Policy" in c for c in complaints)


def test_index_page_opens_without_a_request_and_shows_its_previews(browser: Any, tmp_path: Path) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 28" width="48" height="28"></svg>'
    tab, requests, complaints = opened(browser, index_page({"a": [("a", HOSTILE, "s", svg)]}), tmp_path)
    assert (requests, complaints) == ([], [])
    assert tab.evaluate("document.images[0].naturalWidth") == 48
