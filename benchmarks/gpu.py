"""Whether a GPU gives the CPU's pixels, and what a run costs there beside the network's own forward passes.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --out result.json --parts pixels,forward
    python benchmarks/gpu.py --device cpu --small --out small.json

One command of at most five minutes, without network, data or trained weights of others. Each part has a time limit of
its own; what fails or takes too long is written into the result as text, and the next part goes on. The result is a
JSON file, written again after every part, and a table. ``--device cpu --small`` proves the script without a GPU.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
import time
import tomllib
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

# So that the one command needs neither an installation nor PYTHONPATH.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.gpu_parts import pixels, runs, speed
from benchmarks.gpu_parts.setting import AUTOCAST, BFLOAT16, FLOAT32, Setting, TimeLimitError, failed, time_limit

Results = dict[str, Any]
_RESULT = Path(__file__).parent / "results" / "gpu.json"
# Five minutes in all; the last of them are left for what cannot be stopped at once.
_SECONDS = 285.0
# By part: what measures it, and the most seconds it may take. Compiling is last but one, because it may take all of
# its time without giving a figure.
_PARTS: dict[str, tuple[Callable[[Setting, Results], None], float]] = {
    "pixels": (pixels.measure, 60),
    "forward": (speed.forward, 45),
    "engine": (runs.engine, 90),
    "perturbations": (speed.perturbations, 40),
    "compiled": (speed.compiled, 80),
    "cues": (runs.cues, 60),
}
_VERSIONS = ("torch", "torchvision", "kornia", "timm", "numpy", "pillow")


def main() -> None:
    """Parse, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cuda or cpu")
    parser.add_argument("--small", action="store_true", help="a few images and small networks")
    parser.add_argument("--out", type=Path, default=_RESULT, help="the JSON file")
    parser.add_argument("--parts", default=",".join(_PARTS), help="which parts, with commas between them")
    options = parser.parse_args()
    unknown = set(options.parts.split(",")) - _PARTS.keys()
    if unknown:
        parser.error(f"Expected --parts to be of {', '.join(_PARTS)}, but got {', '.join(sorted(unknown))}.")
    if options.device != "cpu" and not torch.cuda.is_available():
        parser.error("Expected a GPU, but torch sees none. Give --device cpu --small to try the script.")
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        give_version(Path(folder))
        print(table(measured(Setting(options.device, options.small), options.parts.split(","), options.out)))


def give_version(folder: Path) -> None:
    """Say which version of cuesense this is, where it runs from a checkout that was not installed: results name it.

    Args:
        folder: Where the few lines lie that an installation would have written.
    """
    try:
        version("cuesense")
    except PackageNotFoundError:
        written = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        about = folder / f"cuesense-{written['version']}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: cuesense\nVersion: {written['version']}\n")
        sys.path.append(str(folder))


def measured(setting: Setting, parts: list[str], out: Path) -> Results:
    """Run parts one after the other and write what is known after each.

    Args:
        setting: Where and how much is measured.
        parts: Names of the parts, in the order in which they are run.
        out: The JSON file; its folder is made.

    Returns:
        What is in the file.
    """
    results: Results = {"hardware": hardware(setting), "small": setting.small, "seconds": {}, "failed": {}}
    out.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    for name in parts:
        measure, most = _PARTS[name]
        before = time.monotonic()
        try:
            with time_limit(max(1.0, min(most, _SECONDS - (before - start)))):
                measure(setting, results.setdefault(name, {}))
        except (Exception, TimeLimitError) as error:
            results["failed"][name] = failed(error)
        results["seconds"][name] = round(time.monotonic() - before, 1)
        try:
            results["summary"] = summary(results, setting)
        except Exception as error:  # the figures themselves are still worth a file
            results["failed"]["summary"] = failed(error)
        out.write_text(json.dumps(results, indent=1, default=str) + "\n", encoding="utf-8")
        print(f"{name}: {results['seconds'][name]} s {results['failed'].get(name, '')}", flush=True)
    return results


def hardware(setting: Setting) -> dict[str, Any]:
    """Return what was measured on, when, and with which versions."""
    found: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if setting.on_gpu else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "cuda": torch.version.cuda,
        "TensorFloat-32": {
            "products": torch.backends.cuda.matmul.allow_tf32,
            "convolutions": torch.backends.cudnn.allow_tf32,
        },
    }
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def summary(results: Results, setting: Setting) -> Results:
    """Return the ratios of the measured parts: what the aims are about."""
    found: Results = {}
    if "compared" in results.get("pixels", {}):
        rows = ("compared", "within the tolerance", "failed", "other parameters", "largest difference", "outside")
        found["pixels"] = {name: results["pixels"][name] for name in rows}
    batch = str(setting.batch)
    for name in setting.networks:
        passes = {
            precision: speed.first_seconds(results.get("forward"), name, "eager", precision, batch)
            for precision in (BFLOAT16, AUTOCAST, FLOAT32)
        }
        passes["CUDA graph"] = speed.first_seconds(results.get("forward"), name, "CUDA graph")
        passes["compiled"] = speed.first_seconds(results.get("compiled"), name)
        own = {f"milliseconds a batch of {batch}, {key}": 1000 * value for key, value in passes.items() if value}
        own |= _over_forward(results.get("engine", {}).get(name, {}), passes, setting.batch)
        for key in (BFLOAT16, "compiled"):
            conditions = results.get("perturbations", {}).get("conditions")
            if conditions and passes[key]:
                own[f"perturbations over {key}"] = speed.ratios(conditions, passes[key])
        found[name] = own
    found["cues"] = {key: value for key, value in results.get("cues", {}).items() if "against" in key}
    return found


def _over_forward(runs_of: Results, passes: dict[str, float | None], batch: int) -> Results:
    """Return a run's total over its forward passes alone, in both precisions."""
    found: Results = {}
    for precision, compared in (("bfloat16", (BFLOAT16, AUTOCAST, "CUDA graph", "compiled")), ("float32", (FLOAT32,))):
        run = runs_of.get(precision)
        if not isinstance(run, dict):
            continue
        for key in compared:
            alone = passes[key]
            if alone:
                ratio = run["seconds a forward pass of one image"] * batch / alone
                found[f"total in {precision} over forward, {key}"] = ratio
        if "idle share" in run:
            found[f"idle share in {precision}"] = run["idle share"]
    return found | {f"agreement, {key}": value for key, value in runs_of.get("runs", {}).items()}


def table(results: Results) -> str:
    """Return the summary as text, one figure a line."""
    lines = [f"{results['hardware']['device']}, {results['hardware']['date']}, torch {results['hardware']['torch']}"]

    def add(name: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{name}, {key}" if name else str(key), inner)
        else:
            lines.append(f"{name:88s} {f'{value:.4g}' if isinstance(value, float) else value}")

    add("", results.get("summary", {}))
    for row in results.get("pixels", {}).get("conditions", []):
        if not row["within"]:
            what = row.get("failed") or f"{row['largest']:.2g}, {row['beyond']:.2%} of the values"
            lines.append(f"pixels differ: {row['perturbation']} {row['value']:g} {row['size']}: {what}")
    for row in results.get("perturbations", {}).get("conditions", []):
        times = {key: 1000 * value for key, value in row["seconds"].items() if isinstance(value, float)}
        shown = ", ".join(f"{key} {value:.2f} ms" for key, value in times.items()) or row["seconds"].get("failed")
        lines.append(f"{row['perturbation']} {row['value']:g}: {shown}")
    lines += [f"failed: {name}: {text}" for name, text in results["failed"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
