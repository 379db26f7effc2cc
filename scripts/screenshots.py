"""Takes the pictures of the README from a run's report, with Debian's chromium.

python scripts/screenshots.py demo/report.html
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parent.parent / "docs"
PICTURES = {
    "report-light.png": ("#view=doc&doc=13", "light"),
    "report-dark.png": ("#view=doc&doc=5&ui=ar", "dark"),
    "report-collection.png": ("", "light"),
    "report-network.png": ("#view=graph", "light"),
}


def main() -> None:
    url = Path(sys.argv[1]).resolve().as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (fragment, scheme) in PICTURES.items():
            page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(url + fragment)
            page.wait_for_selector("html[data-ready]")
            page.screenshot(path=DOCS / name)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
