"""The html report in a real browser: headless Chromium opens it from disk, clicks and types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plugins.findings.finding import Finding
from plugins.outputs.html_report import HtmlWriter
from plugins.text import visible
from selftests.plugins.outputs.browser import Browser, find_browser
from selftests.plugins.outputs.test_formats import CHECK, HOSTILE, OTHER_CHECK, finding
from selftests.plugins.outputs.test_html_report import write_many

LOADED = "typeof loading !== 'undefined' && !loading"
ROWS = "[...document.querySelectorAll('#rows [data-index]')]"
IAM_CHECK = replace(OTHER_CHECK, severity="high", service="iam")
OWN_CHECK = replace(CHECK, id="own", number="own", title="Mine", url="javascript:alert(1)", command="", severity="low")


def sample() -> list[Finding]:
    """12 findings: FAIL 6 (critical s3 4, high iam 1, low s3 1), ERROR 1, WARNING 1, INFO 1, PASS 3."""
    fails = [finding(f"bucket-{n}", message=f"grant {n} to everyone") for n in (10, 9, 2, 1)]
    return [
        *(finding(f"closed-{n}", "PASS", "no public grant") for n in range(3)),
        *fails,
        replace(finding("key-1", check=IAM_CHECK), region="us-east-1", tags={"team": "web"}),
        replace(finding("mine", check=OWN_CHECK), resource_arn="mine"),
        finding("denied", "ERROR", "AccessDenied"),
        finding("site", "WARNING", "accepted: static web site"),
        finding("none", "INFO", "no bucket"),
    ]


def write(path: Path, findings: list[Finding]) -> Path:
    writer = HtmlWriter(path, account="123456789012")
    for one in findings:
        writer.write(one)
    writer.close()
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    find_browser()
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("html") / "report.html", sample())


@pytest.fixture
def page(chromium: Browser, report: Path) -> Iterator[Browser]:
    """The sample report, opened at 1280 pixels; nothing was asked of a network and nothing complained in the end."""
    chromium.size(1280, 860)
    chromium.prefer("light")
    show(chromium, report)
    yield chromium
    assert chromium.requests() == [] or chromium.requests() == [report.as_uri()]
    assert chromium.complaints() == []


def show(browser: Browser, path: Path, fragment: str = "") -> None:
    browser.open(path, fragment)
    browser.wait(LOADED)


def column(browser: Browser, name: str) -> list[str]:
    """The texts of a column, as far as rows are in the document."""
    found: list[str] = browser.run(f"{ROWS}.map((row) => row.querySelector('.{name}').textContent)")
    return found


def count(browser: Browser) -> str:
    return str(browser.run("document.getElementById('count').textContent"))


def visible_detail(browser: Browser) -> Any:
    return browser.run(
        "(() => { const it = document.getElementById('detail'); return it.hidden ? null : it.innerText; })()"
    )


def fragment(browser: Browser) -> str:
    return str(browser.run("location.hash"))


def test_what_it_shows_at_first(page: Browser, report: Path) -> None:
    assert page.run("document.title") == "123456789012 \u2013 auditest"
    assert page.run("document.getElementById('account').textContent") == "123456789012"
    assert "2026-03-01 12:00:05 UTC" in page.run("document.getElementById('facts').textContent")
    assert count(page) == "12 findings"
    assert column(page, "status") == ["FAIL"] * 6 + ["ERROR", "WARNING", "INFO"] + ["PASS"] * 3
    assert column(page, "severity")[:6] == ["Critical"] * 4 + ["High", "Low"]
    cards = page.run("[...document.querySelectorAll('.card')].map((one) => one.innerText.split(/\\s+/).slice(0, 2))")
    assert cards == [["FAIL", "6"], ["ERROR", "1"], ["WARNING", "1"], ["INFO", "1"], ["PASS", "3"]]
    matrix = page.run(
        "[...document.querySelectorAll('#matrix tbody tr')].map((row) => [...row.children].map((one) => one.innerText))"
    )
    assert matrix == [["s3", "4", "·", "·", "1", "·"], ["iam", "·", "1", "·", "·", "·"]]
    assert page.requests() == [report.as_uri()]


def test_cards_and_chips_filter(page: Browser) -> None:
    page.click(".card.fail")
    assert (count(page), fragment(page)) == ("6 of 12 findings", "#status=FAIL")
    page.click("#status [data-value=ERROR]")
    assert (count(page), fragment(page)) == ("7 of 12 findings", "#status=FAIL,ERROR")
    page.click("#severity [data-value=critical]")
    assert count(page) == "5 of 12 findings"
    assert page.run("document.querySelector('.card.fail').getAttribute('aria-pressed')") == "true"
    page.click(".card.fail")
    assert column(page, "resource") == ["denied"]
    page.click("#clear")
    assert (count(page), fragment(page)) == ("12 findings", "")
    assert page.run("document.getElementById('clear').disabled") is True


def test_the_matrix_filters(page: Browser) -> None:
    page.click('#matrix [aria-label="4 critical failures in s3"]')
    assert count(page) == "4 of 12 findings"
    assert fragment(page) == "#status=FAIL&severity=critical&service=s3"
    assert page.run("document.getElementById('service').value") == "s3"
    page.click('#matrix [aria-label="4 critical failures in s3"]')
    assert count(page) == "12 findings"
    page.click("#worst li:nth-child(2) button")
    assert column(page, "resource") == ["key-1"]


@pytest.mark.parametrize(
    ("select", "value", "names"),
    [
        ("service", "iam", {"key-1"}),
        ("region", "us-east-1", {"key-1"}),
        ("group", "group1", {"key-1"}),
        ("check", "own", {"mine"}),
    ],
)
def test_selects_filter(page: Browser, select: str, value: str, names: set[str]) -> None:
    page.run(
        f"{{ const it = document.getElementById('{select}'); it.value = '{value}'; it.dispatchEvent(new Event('change')); }}"
    )
    assert set(column(page, "resource")) == names
    assert fragment(page) == f"#{select}={value}"
    assert page.run("document.getElementById('account-filter').hidden") is True


def test_search(page: Browser) -> None:
    page.press("/")
    page.type("everyone BUCKET-1")
    page.wait("document.getElementById('count').textContent.startsWith('2 of')")
    assert set(column(page, "resource")) == {"bucket-1", "bucket-10"}
    assert fragment(page) == "#q=everyone%20BUCKET-1"
    page.run("document.getElementById('search').select()")
    page.type(sample()[7].id)
    page.wait("document.getElementById('count').textContent.startsWith('1 of')")
    assert column(page, "resource") == ["key-1"]
    page.run("document.getElementById('search').select()")
    page.type("nowhere")
    page.wait("!document.getElementById('empty').hidden")
    assert (count(page), column(page, "status")) == ("0 of 12 findings", [])


def test_sorting_goes_up_down_and_back(page: Browser) -> None:
    def order() -> Any:
        return page.run("document.querySelector('th.resource').getAttribute('aria-sort')")

    page.click(".card.fail")
    assert order() == "none"
    page.click("th.resource button")
    assert (order(), fragment(page)) == ("ascending", "#status=FAIL&sort=resource")
    expected = ["bucket-1", "bucket-2", "bucket-9", "bucket-10", "key-1", "mine"]
    assert column(page, "resource") == expected
    page.run("document.querySelector('th.resource button').focus()")
    page.press("Enter")
    assert (order(), fragment(page)) == ("descending", "#status=FAIL&sort=resource,down")
    assert column(page, "resource") == expected[::-1]
    page.click("th.resource button")
    assert (order(), fragment(page)) == ("none", "#status=FAIL")
    assert column(page, "resource")[0] == "bucket-10"


def test_an_address_brings_the_filters_back(page: Browser, report: Path) -> None:
    show(page, report, "#status=FAIL&q=everyone&sort=resource,down")
    assert column(page, "resource") == ["bucket-10", "bucket-9", "bucket-2", "bucket-1"]
    assert page.run("document.getElementById('search').value") == "everyone"
    page.run("location.hash = '#status=WARNING&x=1&q=%E0%A4%A&__proto__=1'")
    page.wait("document.getElementById('count').textContent === '1 of 12 findings'")
    assert column(page, "message") == ["accepted: static web site"]


def test_details_by_mouse(page: Browser) -> None:
    page.click('#rows [data-index="4"]')
    text = visible_detail(page)
    one = sample()[7]
    for expected in (
        "High", "1.4", IAM_CHECK.title, one.message, one.resource_arn, one.id, "us-east-1", "AwsS3Bucket",
        "Block public access.", "aws s3api x", "team web", "cislevel1", "Level 1, scored", "default", "2026-03-01",
    ):  # fmt: skip
        assert expected in text
    links = page.run("[...document.querySelectorAll('#detail a')].map((a) => [a.href, a.rel])")
    assert links == [["https://docs.aws.amazon.com/x", "noopener noreferrer"]]
    page.click("#next")
    assert "mine" in visible_detail(page)
    assert page.run("document.activeElement.id") == "next"
    page.click("#previous")
    assert "key-1" in visible_detail(page)
    page.click("#close")
    assert visible_detail(page) is None


def test_no_row_is_replaced_under_a_pressed_button(page: Browser) -> None:
    page.click("#search")
    row = "document.querySelector('#rows [data-index=\"1\"] .title').getBoundingClientRect()"
    mouse = {"x": page.run(f"{row}.x + 5"), "y": page.run(f"{row}.y + 5"), "button": "left", "clickCount": 1}
    page.call("Input.dispatchMouseEvent", type="mousePressed", **mouse)
    page.run("due = 0; showProgress()")  # as while the findings are still being unpacked
    page.call("Input.dispatchMouseEvent", type="mouseReleased", **mouse)
    assert "bucket-9" in visible_detail(page)


def test_no_link_but_to_web_pages(page: Browser) -> None:
    page.click('#rows [data-index="5"]')
    assert "javascript:alert(1)" in visible_detail(page)
    assert page.run("document.querySelectorAll('#detail a').length") == 0


def test_details_by_keyboard(page: Browser) -> None:
    page.run("document.getElementById('table').focus()")
    page.press("ArrowDown", "ArrowDown", "ArrowUp", "Enter")
    assert "bucket-9" in visible_detail(page)
    assert page.run("document.activeElement.id") == "detail"
    page.press("Escape")
    assert visible_detail(page) is None
    assert page.run("document.activeElement.id") == "table"
    page.press("End")
    assert page.run("document.getElementById('table').getAttribute('aria-activedescendant')") == "row-11"
    page.press(" ")
    assert "closed-2" in visible_detail(page)
    page.press("Escape", "Home", "Enter")
    assert "bucket-10" in visible_detail(page)


def test_copying(page: Browser) -> None:
    page.click('#rows [data-index="0"]')
    page.run("document.querySelector('#detail .command .copy').click()")
    said = page.wait(
        "['Copied', 'Selected'].find((word) => document.querySelector('#detail .command .copy').textContent === word)"
    )
    assert said == "Copied" or page.run("String(getSelection())") == "aws s3api x"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(page: Browser, scheme: str) -> None:
    def brightness() -> int:
        colour = page.run("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    page.prefer(scheme)
    first = brightness()
    assert (first > 600) is (scheme == "light")
    page.click("#theme")
    assert (brightness() > 600) is (scheme != "light")
    page.click("#theme")
    assert brightness() == first


@pytest.mark.parametrize("width", [400, 820, 1280])
def test_nothing_is_wider_than_the_window(page: Browser, width: int) -> None:
    def overflow() -> int:
        wide: int = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wide

    page.size(width, 800)
    assert overflow() == 0
    if width == 400:
        page.run("document.getElementById('more-filters').click()")
        assert page.run("document.querySelector('#severity button').offsetWidth > 0")
        assert overflow() == 0
        page.run("document.getElementById('more-filters').click()")
    assert page.run(f"{ROWS}.every((row) => row.getBoundingClientRect().right <= innerWidth)")
    page.click('#rows [data-index="0"]')
    assert overflow() == 0
    assert page.run("document.getElementById('report').inert") is (width <= 820)
    assert page.run("document.getElementById('detail').getBoundingClientRect().left >= 0")


def test_printing_has_the_filtered_rows(page: Browser) -> None:
    page.click(".card.fail")
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert len(column(page, "status")) == 6
    assert page.run("document.getElementById('printed').textContent") == "6 of 12 findings; status FAIL"
    page.run("dispatchEvent(new Event('afterprint'))")
    assert len(page.call("Page.printToPDF")["data"]) > 10_000
    assert column(page, "status") == ["FAIL"] * 6


def test_hostile_names_stay_text_and_run_nothing(chromium: Browser, tmp_path: Path) -> None:
    names = [*HOSTILE, "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "</script><script>alert(1)</script>"]
    hostile = replace(
        CHECK, id='<i id="own">', number="</td><b>", title="<h1>T</h1>", remediation="<a href=x>", service="<u>"
    )
    path = write(
        tmp_path / "report.html",
        [
            replace(
                finding(name, "FAIL", name, hostile), region=name, tags={name: name}, account_name=name, account=name
            )
            for name in names
        ],
    )
    chromium.size(1280, 2000)
    show(chromium, path)
    chromium.wait("document.querySelectorAll('#rows [data-index]').length > 20")
    assert set(column(chromium, "resource")) == {visible(name) for name in names}
    assert set(column(chromium, "title")) == {"<h1>T</h1>"}
    tags = chromium.run("[...new Set([...document.querySelectorAll('body *')].map((one) => one.tagName))].sort()")
    for number in range(len(names)):
        chromium.click(f'#rows [data-index="{number}"] .status')
        assert "<a href=x>" in visible_detail(chromium)
    assert not {"IMG", "SVG", "B", "I", "U", "svg"} & set(tags)
    assert chromium.run("document.querySelectorAll('h1').length") == 1
    assert (
        chromium.run("document.querySelectorAll('#account-filter option').length") == len(set(map(visible, names))) + 1
    )
    assert chromium.run("document.getElementById('account-filter').hidden") is False
    assert chromium.requests() == [path.as_uri()]
    assert chromium.complaints() == []
    assert not [event for event in chromium.events if event["method"] == "Page.javascriptDialogOpening"]


def test_the_policy_stops_what_would_slip_through(chromium: Browser, report: Path) -> None:
    show(chromium, report)
    with pytest.raises(AssertionError, match=r"TrustedHTML|Trusted Type"):
        chromium.run("document.body.innerHTML = '<img src=x onerror=alert(1)>'")
    chromium.run(
        "{ const script = new Image(); script.src = 'https://example.com/x.png'; document.body.append(script); }"
    )
    chromium.wait_for(
        lambda: "Content Security Policy" in "".join(chromium.complaints()), "the policy refuses the image"
    )


def test_no_findings(chromium: Browser, tmp_path: Path) -> None:
    show(chromium, write(tmp_path / "report.html", []))
    assert count(chromium) == "0 findings"
    assert chromium.run("document.getElementById('empty').innerText") == "The audit has no findings."
    assert chromium.complaints() == []


def test_a_report_that_is_still_growing_can_be_read(chromium: Browser, tmp_path: Path) -> None:
    writer = HtmlWriter(tmp_path / "report.html", account="1")
    for one in sample():
        writer.write(one)
    writer.flush()
    copy = tmp_path / "copy.html"
    copy.write_bytes((tmp_path / "report.html.part").read_bytes())
    writer.discard()
    show(chromium, copy)
    assert count(chromium) == "12 findings"


def test_a_damaged_file_says_so(chromium: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_many(path, 2000)
    blocks = path.read_text(encoding="utf-8").split('class="findings">')
    assert len(blocks) == 3
    blocks[2] = blocks[2][:100] + blocks[2][200:]
    path.write_text('class="findings">'.join(blocks), encoding="utf-8")
    show(chromium, path)
    assert count(chromium) == "1,000 findings"
    assert "damaged: 1 of its parts" in chromium.wait("document.getElementById('notice').innerText")


def test_a_hundred_thousand_findings(chromium: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_many(path, 100_000)
    chromium.size(1280, 860)
    chromium.open(path)
    chromium.wait(f"{ROWS}.length > 10")
    assert column(chromium, "status")[0] == "FAIL"
    chromium.wait(LOADED)
    assert count(chromium) == "100,000 findings"
    assert len(column(chromium, "status")) < 100
    chromium.run("document.getElementById('table').focus()")
    chromium.press("End")
    assert chromium.wait("document.getElementById('row-99999') !== null")
    last = "document.getElementById('row-99999').getBoundingClientRect()"
    assert chromium.run(f"{last}.top >= 0 && {last}.bottom <= innerHeight")
    assert column(chromium, "status")[-1] == "PASS"
    chromium.click("#status [data-value=ERROR]")
    assert count(chromium) == "20,000 of 100,000 findings"
    first = "document.getElementById('row-0').getBoundingClientRect()"
    assert chromium.run(f"{first}.top >= document.getElementById('columns').getBoundingClientRect().bottom - 1")
    chromium.click(".chips [data-value=ERROR]")
    chromium.run("dispatchEvent(new Event('beforeprint'))")
    assert "the first 1,000 are printed" in chromium.run("document.getElementById('printed').textContent")
    assert len(column(chromium, "status")) == 1000
    chromium.run("dispatchEvent(new Event('afterprint'))")
    assert len(column(chromium, "status")) < 100


def test_more_rows_than_a_page_can_be_high(chromium: Browser, report: Path) -> None:
    chromium.size(1280, 860)
    show(chromium, report)
    chromium.run("while (findings.length < 600000) findings.push(...findings.slice(0, 100000)); refresh()")
    assert chromium.run("document.documentElement.scrollHeight") < 13_000_000
    chromium.run("document.getElementById('table').focus()")
    chromium.press("End", "ArrowUp", "ArrowUp", "PageDown", "ArrowUp")
    total: int = chromium.run("shown.length")
    row = f"document.getElementById('row-{total - 2}').getBoundingClientRect()"
    assert chromium.run(f"{row}.top >= 0 && {row}.bottom <= innerHeight + 1")
    chromium.run("scrollTo(0, document.documentElement.scrollHeight / 2)")
    middle = chromium.wait(
        f"{ROWS}.map((row) => Number(row.dataset.index)).find((i) => Math.abs(i - {total} / 2) < 1000)"
    )
    assert middle
    in_sight = f"{ROWS}.filter((row) => row.getBoundingClientRect().bottom > 0 && row.getBoundingClientRect().top < innerHeight)"
    assert chromium.run(f"{in_sight}.length") > 20
