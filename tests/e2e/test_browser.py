"""What people look at, in a real browser: Debian's chromium, steered by its own driver. It resolves
*.localhost by itself. --screenshots FOLDER keeps what it saw."""

import base64
import os
import pathlib
import re
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from support.system import DEMO

DESKTOP, PHONE = (1280, 800), (390, 844)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """Makes browsers for a language; one of each."""
    driver = shutil.which("chromedriver")
    assert driver and shutil.which("chromium"), "chromium and chromium-driver are needed"
    browsers = {}

    def make(language):
        if language not in browsers:
            options = Options()
            options.binary_location = shutil.which("chromium")
            for argument in (
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ):
                options.add_argument(argument)
            for argument in (
                "--no-first-run",
                "--disable-background-networking",
                "--hide-scrollbars",
            ):
                options.add_argument(argument)
            options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
            options.add_argument(f"--lang={language}")
            options.add_experimental_option("prefs", {"intl.accept_languages": language})
            options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
            log = str(tmp_path_factory.mktemp("driver") / "log")
            browsers[language] = webdriver.Chrome(
                options=options, service=Service(driver, log_path=log)
            )
        return browsers[language]

    yield make
    for browser in browsers.values():
        browser.quit()


@pytest.fixture
def visit(chromium, request, system):
    """Opens a URL at a size and fails on an error that the browser's console tells of."""

    def visit(url, size=DESKTOP, language="en", scheme="light", name=None):
        browser = chromium(language)
        # the size of the page itself, whatever the least size of a window is
        metrics = {
            "width": size[0],
            "height": size[1],
            "deviceScaleFactor": 1,
            "mobile": size == PHONE,
        }
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get_log("browser")
        browser.get(url)
        if folder := request.config.getoption("--screenshots"):
            name = name or re.sub(r"\W+", "-", request.node.name).strip("-")
            os.makedirs(folder, exist_ok=True)
            height = browser.execute_script("return document.documentElement.scrollHeight")
            clip = {"x": 0, "y": 0, "width": size[0], "height": max(height, size[1]), "scale": 1}
            shot = browser.execute_cdp_cmd(
                "Page.captureScreenshot",
                {"format": "png", "captureBeyondViewport": True, "clip": clip},
            )
            (pathlib.Path(folder) / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
        return browser

    return visit


def assert_fits(browser):
    """Nothing stands out of the page sideways."""
    page, view = browser.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert page <= view, f"the page is {page} px wide in a view of {view} px"
    wide = browser.execute_script(
        """const view = document.documentElement.clientWidth;
        return [...document.body.querySelectorAll('*')]
            .filter(e => e.getBoundingClientRect().right > view + 0.5 && !e.closest('pre, code, table'))
            .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert not wide, wide


def assert_readable(browser):
    """Text is large enough, and links can be hit with a thumb."""
    small = browser.execute_script(
        """return [...document.body.querySelectorAll('*')]
            .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
            .filter(e => parseFloat(getComputedStyle(e).fontSize) < 12)
            .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert not small, small


def assert_contrast(browser):
    """Text on its background, or on each colour of its gradient: 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    poor = browser.execute_script(
        r"""
        const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const luminance = colour => {
            const [r, g, b] = colour.match(/[\d.]+/g).map(Number).map(channel);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
        const canvas = isDark ? 'rgb(18,18,18)' : 'rgb(255,255,255)';
        const grounds = e => {
            for (; e; e = e.parentElement) {
                const style = getComputedStyle(e);
                const gradient = style.backgroundImage.match(/rgba?\([^)]*\)/g);
                if (gradient) return gradient;
                const parts = style.backgroundColor.match(/[\d.]+/g).map(Number);
                if (parts.length < 4 || parts[3] > 0.99) return [style.backgroundColor];
            }
            return [canvas];
        };
        const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        return [...document.body.querySelectorAll('*')]
            .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
            .map(e => {
                const text = luminance(getComputedStyle(e).color);
                const worst = Math.min(...grounds(e).map(g => ratio(text, luminance(g))));
                return [worst, e.outerHTML.slice(0, 100)];
            })
            .filter(([worst]) => worst < 4.5)"""
    )
    assert not poor, poor


def assert_quiet(browser, *allowed):
    """The console has nothing to complain of."""
    told = [
        entry["message"]
        for entry in browser.get_log("browser")
        if entry["level"] in ("SEVERE", "WARNING")
    ]
    told = [
        message
        for message in told
        if "favicon" not in message and not any(a in message for a in allowed)
    ]
    assert not told, told


def selection(system):
    return f"http://localhost:{system.port}/auth/tenant-selection"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_selection_page_fits_and_can_be_read(system, visit, size, language, scheme):
    browser = visit(selection(system), size, language, scheme)
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == language
    assert_fits(browser)
    assert_readable(browser)
    assert_contrast(browser)
    assert_quiet(browser)


@pytest.mark.parametrize("slug", DEMO)
def test_link_leads_to_the_tenants_page(system, visit, slug):
    browser = visit(selection(system), PHONE)
    url = f"http://{slug}.localhost:{system.port}/"
    link = next(
        a for a in browser.find_elements(By.TAG_NAME, "a") if a.get_attribute("href") == url
    )
    assert link.is_displayed() and link.size["height"] >= 24
    link.click()
    assert browser.current_url == url
    name = system.json("tenant", "show", slug)["tenant"]["name"]
    assert name in browser.find_element(By.TAG_NAME, "body").text


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("slug", DEMO)
def test_tenants_page_fits_and_can_be_read(system, visit, slug, size):
    browser = visit(f"http://{slug}.localhost:{system.port}/", size)
    assert_fits(browser)
    assert_readable(browser)
    assert_contrast(browser)
    assert_quiet(browser)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_unknown_tenants_page_speaks_the_visitors_language(system, visit, size, language):
    browser = visit(f"http://nobody.localhost:{system.port}/", size, language)
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == language
    words = {"en": r"\b(the|this|address|no)\b", "fr": r"\b(cette|adresse|aucun|espace|inconnu)\b"}[
        language
    ]
    assert re.search(words, browser.find_element(By.TAG_NAME, "body").text, re.IGNORECASE)
    assert_fits(browser)
    assert_readable(browser)
    assert_contrast(browser)
    assert_quiet(browser, "404")


@pytest.mark.parametrize("status", ["suspended", "maintenance", "archived"])
def test_closed_tenants_page_fits(system, visit, make_tenant, status):
    slug = make_tenant()
    system.api("PATCH", f"/v1/tenants/{slug}", {"status": status})
    browser = visit(f"http://{slug}.localhost:{system.port}/", PHONE, "fr")
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "fr"
    assert_fits(browser)
    assert_contrast(browser)


def test_former_name_leads_on_in_the_address_bar(system, visit, make_tenant):
    slug = make_tenant()
    system.run("tenant", "rename", slug, f"{slug}-b")
    browser = visit(f"http://{slug}.localhost:{system.port}/?a=b")
    assert browser.current_url == f"http://{slug}-b.localhost:{system.port}/?a=b"


def test_base_host_leads_to_the_selection_page(system, visit):
    assert visit(f"http://localhost:{system.port}/").current_url == selection(system)


def test_hostile_names_run_no_script_and_break_no_layout(system, visit, make_tenant):
    names = [
        "<script>document.title='owned'</script>",
        '"><img src=x onerror="document.title=\'owned\'">',
        "W" * 190,
        "\u202egnp.exe \u0661\u0662 " + "ﷺ" * 20,
    ]
    slugs = [
        make_tenant(
            name=name, listed=True, settings={"title": name, "color": "red;}body{display:none"}
        )
        for name in names
    ]
    for size in (DESKTOP, PHONE):
        browser = visit(selection(system), size, name=f"hostile-{size[0]}")
        assert browser.title != "owned"
        assert names[0] in browser.find_element(By.TAG_NAME, "body").text
        assert_fits(browser)
        for slug in slugs:
            browser = visit(
                f"http://{slug}.localhost:{system.port}/",
                size,
                name=f"hostile-home-{slug}-{size[0]}",
            )
            assert browser.title != "owned"
            assert browser.find_element(By.TAG_NAME, "body").is_displayed()
            assert_fits(browser)
    for slug in slugs:
        system.run("tenant", "set", slug, "--unlisted")
