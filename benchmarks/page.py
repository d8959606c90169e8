"""How large and how fast the profile's page is with 1,000 classes, 40 conditions and pictures, in a headless Chromium.

    PYTHONPATH=. python benchmarks/page.py
    PYTHONPATH=. python benchmarks/page.py --classes 200 --repeats 5 --json page.json

CPU seconds are those of the browser's renderers: other work on the machine disturbs them least. Wall seconds are what a
reader waits for on an idle machine. A time ends when the browser has laid out and painted; sorting and opening are
pressed by script, so that no time of the driver counts. Each figure is the median of the repeats, each on a page opened
anew.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from cuesense.reports.html.profile import render
from cuesense.reports.pictures import Answer, Picture, Pictures, Strip, encode
from cuesense.schemas.profile import Profile
from tests.helpers import browser
from tests.helpers.graded_profiles import graded

# What issue trackers of the project ask of it.
REACH = {"megabytes": 8.0, "first view": 1.5, "sort": 0.15, "open a class": 0.2}
# Pictures as ``analyze`` makes them where there are 1,000 classes: one strip of clean and strongest.
SIDE, QUALITY = 48, 40

# Resolves when the browser has painted what a press changed.
_PAINTED = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))))"
_PRESS = "() => {{ const start = performance.now(); document.querySelector('{}').click(); return {}; }}"
SORT, OPEN = (_PRESS.format(place, _PAINTED) for place in ("th.clean button", "#table tbody a"))
# Paints once more, so that what came with the page is painted; answers with the time since the navigation.
FIRST_VIEW = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"""


def pictures_of(profile: Profile) -> Pictures:
    """Return a strip of every class: a picture with the detail of a photograph, clean and perturbed."""
    random = np.random.default_rng(0)
    curve = next(curve for curve in profile.curves if curve.role.value == "augmentation")
    found = {}
    for at, entry in enumerate(profile.classes):
        coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        pixels = np.kron(coarse, np.ones((12, 12, 1), dtype=np.uint8)) // 2 + random.integers(
            0, 60, (96, 96, 3), np.uint8
        )
        clean, strong = (encode(image, SIDE, QUALITY) for image in (pixels, pixels // 2))
        wrong = Answer(profile.classes[at - 1].name, 0.61, False, entry.name, 0.2)
        tiles = (Picture("a.jpg", len(curve.values), curve.values[-1], strong, wrong),)
        first = Picture("a.jpg", 0, 0.0, clean, Answer(entry.name, 0.93, True, profile.classes[at - 1].name, 0.03))
        found[at] = [Strip(curve.perturbation, first, tiles)]
    return found


class Clock:
    """CPU seconds of the browser's processes that lay out pages and run their scripts."""

    def __init__(self, chromium: Any) -> None:
        self._session = chromium.new_browser_cdp_session()

    def seconds(self) -> float:
        """Return the seconds of all of them since they started."""
        found = self._session.send("SystemInfo.getProcessInfo")["processInfo"]
        return sum(process["cpuTime"] for process in found if process["type"] == "renderer")


def measured(page: str, repeats: int) -> dict[str, dict[str, float]]:
    """Return CPU and wall seconds of the first view, of sorting and of opening a class, medians over the repeats."""
    found: dict[str, list[tuple[float, float]]] = {"first view": [], "sort": [], "open a class": []}
    with tempfile.TemporaryDirectory() as folder, browser.chromium() as chromium:
        path = Path(folder, "report.html")
        path.write_text(page, encoding="utf-8")
        clock = Clock(chromium)
        for _ in range(repeats):
            viewer = browser.Viewer(chromium)
            # A renderer of its own starts with an empty page, so that its start does not count.
            (empty := Path(folder, "empty.html")).write_text("<!DOCTYPE html><title>empty</title>", encoding="utf-8")
            opened = viewer.open(empty)
            opened.set_default_timeout(120_000)
            before = clock.seconds()
            opened.goto(path.as_uri())
            wall = opened.evaluate(FIRST_VIEW) / 1000
            found["first view"].append((clock.seconds() - before, wall))
            for name, press in (("sort", SORT), ("open a class", OPEN)):
                # What the view before left to do, such as pictures to decode, is not this press's.
                opened.wait_for_timeout(500)
                before = clock.seconds()
                wall = opened.evaluate(press) / 1000
                found[name].append((clock.seconds() - before, wall))
            viewer.close()
            if viewer.problems:
                raise SystemExit(f"The page is broken: {viewer.problems}")
    return {
        name: {"cpu": median(cpu for cpu, _ in pairs), "wall": median(wall for _, wall in pairs)}
        for name, pairs in found.items()
    }


def main() -> None:
    """Make the page, measure it, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here")
    chosen = parser.parse_args()
    if why := browser.missing():
        raise SystemExit(why)
    profile = graded(chosen.classes, half=0.05, images=50)
    # 14 perturbations of 3 to 5 severities: the usual 40 to 60 conditions.
    conditions = sum(len(curve.values) for curve in profile.curves)
    page = render(profile, pictures_of(profile))
    size, figures, load = len(page.encode()) / 1e6, measured(page, chosen.repeats), os.getloadavg()[0]
    print(f"{chosen.classes:,} classes, {conditions} conditions, median of {chosen.repeats}; load {load:.1f}")
    print(f"{'size':14} {size:6.2f} MB           reach {REACH['megabytes']:g}")
    for name, part in figures.items():
        print(f"{name:14} {part['cpu']:6.2f} s CPU, {part['wall']:.2f} s wall   reach {REACH[name]:g}")
    if chosen.json is not None:
        known = {"classes": chosen.classes, "conditions": conditions, "load": load, "megabytes": size, **figures}
        chosen.json.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
