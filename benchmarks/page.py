"""How large and how fast the profile's page is with 1,000 classes, 40 conditions and pictures, in a headless Chromium.

    PYTHONPATH=. python benchmarks/page.py
    PYTHONPATH=. python benchmarks/page.py --classes 200 --repeats 5 --json page.json

Every class has as many pictures as the page has room for, of the size that ``analyze`` gives pictures of so many
classes, each as heavy as that of a photograph. CPU seconds are those of the browser's renderers: other work on the
machine disturbs them least. Wall seconds are what a reader waits for on an idle machine. A time ends when the browser
has laid out and painted; sorting and opening are pressed by script, so that no time of the driver counts. Each figure
is the median of the repeats, each on a page opened anew.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from cuesense.planted.world import PlantedWorld
from cuesense.reports.html.profile import render
from cuesense.reports.html.profile_pictures import MOST_BYTES, picture_data
from cuesense.reports.pictures import Answer, Picture, Pictures, Strip, encode
from cuesense.schemas.profile import Profile
from tests.helpers import browser
from tests.helpers.graded_profiles import graded

# What issue trackers of the project ask of it.
REACH = {"megabytes": 8.0, "first view": 1.5, "sort": 0.15, "open a class": 0.2}
# Pictures as ``analyze`` makes them where there are 1,000 classes (workflows/pictures.py).
SIDE, QUALITY = 64, 40
# Noise with which a planted image takes the .96 kB of a perturbed photograph as WebP of this size.
NOISE = 14

# Resolves when the browser has painted what a press changed.
_PAINTED = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))))"
_PRESS = "() => {{ const start = performance.now(); document.querySelector('{}').click(); return {}; }}"
SORT, OPEN = (_PRESS.format(place, _PAINTED) for place in ("th.clean button", "#table tbody a"))
# Paints once more, so that what came with the page is painted; answers with the time since the navigation.
FIRST_VIEW = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"""


def pictures_of(profile: Profile) -> Pictures:
    """Return for every class an image under one perturbation after the other, until the page has no more room for it.

    Augmentations come first. Changed pixels only make pictures differ: no page shows whether they are right.
    """
    random = np.random.default_rng(0)
    scenes = PlantedWorld(images_per_class=-(-len(profile.classes) // 20), cluttered=True)
    curves = sorted(profile.curves, key=lambda curve: curve.role.value != "augmentation")
    room = 3 * MOST_BYTES // (4 * len(profile.classes))
    found = {}
    for at, entry in enumerate(profile.classes):
        pixels = np.asarray(scenes[at % len(scenes)].image, dtype=np.float64)
        other = profile.classes[at - 1].name
        right, wrong = Answer(entry.name, 0.93, True, other, 0.03), Answer(other, 0.61, False, entry.name, 0.2)
        clean = Picture("a.jpg", 0, 0.0, drawn(pixels, random), right)
        strips: list[Strip] = []
        used = len(clean.image)
        for curve in curves:
            changed = drawn(np.roll(pixels, random.integers(1, 32), axis=(0, 1)), random)
            used += len(changed)
            if used > room and strips:
                break
            tile = Picture("a.jpg", len(curve.values), curve.values[-1], changed, wrong)
            strips.append(Strip(curve.perturbation, clean, (tile,)))
        found[at] = strips
    return found


def drawn(pixels: np.ndarray, random: np.random.Generator) -> bytes:
    """Return an image with the noise of a photograph as its picture on the page."""
    noisy = np.clip(pixels + random.normal(0, NOISE, pixels.shape), 0, 255)
    return encode(noisy.astype(np.uint8), SIDE, QUALITY)


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
        name: {"cpu": round(median(cpu for cpu, _ in pairs), 3), "wall": round(median(wall for _, wall in pairs), 3)}
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
    shown = picture_data(profile, pictures := pictures_of(profile))
    count = sum(1 + len(strips) for strips in shown["strips"].values())
    filled = len(json.dumps(shown)) / 1e6
    page = render(profile, pictures)
    size, figures, load = len(page.encode()) / 1e6, measured(page, chosen.repeats), os.getloadavg()[0]
    print(f"{chosen.classes:,} classes, {conditions} conditions, {count:,} pictures ({filled:.1f} MB)")
    print(f"median of {chosen.repeats}; load {load:.1f}")
    print(f"{'size':14} {size:6.2f} MB           reach {REACH['megabytes']:g}")
    for name, part in figures.items():
        print(f"{name:14} {part['cpu']:6.2f} s CPU, {part['wall']:.2f} s wall   reach {REACH[name]:g}")
    if chosen.json is not None:
        known = {
            "classes": chosen.classes,
            "conditions": conditions,
            "pictures": count,
            "pictures_megabytes": round(filled, 2),
        }
        known |= {"load": round(load, 1), "megabytes": round(size, 2), **figures}
        chosen.json.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
