"""What an analysis would take beside others: counted against the configurations, and nothing is written."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import cuesense
from cuesense.config import load_config
from cuesense.errors import OutputError
from cuesense.inference.pace import Pace
from cuesense.schemas.cost import CostEstimate
from tests.helpers.small_networks import NAMES, Colors, Meanest

CONDITIONS = {name: len(load_config(name).conditions()) for name in ("quick", "standard", "thorough")}

GIVEN: dict[str, Any] = {
    "config": "quick",
    "class_names": NAMES,
    "mean": (0.5, 0.5, 0.5),
    "std": (0.25, 0.25, 0.25),
    "device": "cpu",
    "workers": 1,
}


def estimated(count: int = 90, output: Path | None = None, **options: object) -> CostEstimate:
    return cuesense.estimate_cost(Meanest(), Colors(count), output=output, **GIVEN | options)


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_presets_and_fewer_images_stand_beside_what_was_asked_for(tmp_path: Path) -> None:
    cost = estimated(90, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert (cost.planned.config, cost.planned.images, cost.planned.conditions) == ("quick", 90, CONDITIONS["quick"])
    others = {(row.config, row.images_per_class): (row.images, row.conditions) for row in cost.others}
    assert others == {
        ("standard", None): (90, CONDITIONS["standard"]),
        ("thorough", None): (90, CONDITIONS["thorough"]),
        ("quick", 25): (75, CONDITIONS["quick"]),
    }
    rows = [cost.planned, *cost.others]
    assert [row.forward_passes for row in rows] == [row.images * row.conditions for row in rows]
    # More conditions take longer, and fewer images less long.
    assert all(row.seconds and row.seconds > 0 for row in rows)
    assert cost.others[2].seconds < cost.planned.seconds < cost.others[0].seconds < cost.others[1].seconds  # type: ignore[operator]
    assert (cost.done, cost.part, cost.device, cost.device_memory_bytes) == (0, "1/1", "cpu", None)


def test_what_the_output_folder_holds_is_done_and_stays_as_it_is(tmp_path: Path) -> None:
    output = tmp_path / "out"
    cuesense.analyze(Meanest(), Colors(30), output=output, progress=False, **GIVEN)
    before = files(output)
    cost = estimated(30, output)
    assert (cost.planned.forward_passes, cost.planned.seconds) == (0, 0)
    assert cost.done == 30 * CONDITIONS["quick"]
    standard = next(row for row in cost.others if row.config == "standard")
    assert 0 < standard.forward_passes < 30 * CONDITIONS["standard"]
    again = estimated(30, output, restart=True)
    assert (again.planned.forward_passes, again.done) == (30 * CONDITIONS["quick"], 0)
    with pytest.raises(OutputError, match="other seed"):
        estimated(30, output, seed=1)
    assert files(output) == before


def test_parts_share_the_work(tmp_path: Path) -> None:
    costs = [estimated(30, tmp_path / "out", part=f"{number}/2") for number in (1, 2)]
    assert [cost.part for cost in costs] == ["1/2", "2/2"]
    assert sum(cost.planned.forward_passes for cost in costs) == 30 * CONDITIONS["quick"]
    assert all(0 < cost.planned.forward_passes < 30 * CONDITIONS["quick"] for cost in costs)
    assert not (tmp_path / "out").exists()


def test_workers_of_ray_share_the_time_and_none_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.init", None)
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("cuesense.inference.ray_cluster.cores", lambda: 4)
    monkeypatch.setattr("cuesense.inference.pace.cores", lambda: 1)
    known = Pace(0.0, 0.1, defaultdict(float), None, None)
    monkeypatch.setattr("cuesense.workflows.cost.measure_pace", lambda *_: known)
    alone, shared = estimated(32), estimated(32, engine="ray")
    assert (alone.workers, shared.workers) == (None, 4)
    assert alone.planned.seconds == pytest.approx(32 * CONDITIONS["quick"] * 0.1)
    assert shared.planned.seconds == pytest.approx(alone.planned.seconds / 4)
