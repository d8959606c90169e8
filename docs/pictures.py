"""Take the pictures of the pages from a real report: ``python docs/pictures.py OUTPUT`` (an output folder of analyze).

Needs Playwright for Python and a Chromium (``CHROMIUM``, else /usr/bin/chromium). Writes ``docs/pictures/*.webp``,
together well under 2 MB; where ``preview.png`` lies beside OUTPUT, it becomes one of them. The pages' pictures are of
the example that ``docs/example.py`` writes, analyzed by the commands of the Quickstart.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "pictures"
WIDTH, HEIGHT = 1100, 820
SCALE = 1.5
MARGIN = 20
# Pixels of the preview that show the augmentations; cue suppressions stand below.
PREVIEW = 920
CLASS = "shape-2"
# Each picture: what it shows of the page, and how many pixels of it from its top (0: the whole).
SECTIONS = {
    "map": ("#map", 640),
    "confusions": ("#confusions", 480),
    "policy": ("#policy", 760),
    "classes": ("#classes", 640),
}
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def save(picture: bytes, name: str, height: int | None = None) -> None:
    """Write a picture as WebP, down to a height in pixels, and say how large the file is."""
    target = FOLDER / f"{name}.webp"
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.crop((0, 0, image.width, height or image.height)).save(target, quality=82, method=6)
    print(f"{target.stat().st_size / 1024:6.0f} KB  {target.name}")


def take(page: Page, report: str) -> None:
    """Take every picture of one report."""
    page.goto(report)
    page.wait_for_timeout(500)
    save(page.screenshot(), "report")
    for name, (selector, height) in SECTIONS.items():
        box = page.locator(selector).bounding_box()
        if box is None:
            raise SystemExit(f"The page has no {selector} that can be seen: say in SECTIONS what {name} shows.")
        clip = {
            "x": max(box["x"] - MARGIN, 0),
            "y": box["y"],
            "width": box["width"] + 2 * MARGIN,
            "height": min(box["height"], height or box["height"]),
        }
        save(page.screenshot(full_page=True, clip=clip), name)  # type: ignore[arg-type]
    page.set_viewport_size({"width": WIDTH, "height": 1080})
    page.goto(f"{report}#class={CLASS}")
    page.reload()
    page.wait_for_timeout(800)
    save(page.locator("#panel").screenshot(), "class")


def main() -> None:
    """Open the report in a browser without a window."""
    report = (Path(sys.argv[1]) / "report.html").resolve().as_uri()
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE)
        take(context.new_page(), report)
        browser.close()
    preview = Path(sys.argv[1]).resolve().parent / "preview.png"
    if preview.is_file():
        save(preview.read_bytes(), "preview", PREVIEW)


if __name__ == "__main__":
    main()
