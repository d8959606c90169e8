"""Break the code in a copy, one line at a time, and see that a test fails each time.

    python benchmarks/breaks.py

Ends with 1 if a break goes unnoticed. The checkout itself is not touched.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
BREAKS = [
    ("cuesense/types.py", 'f"{seed}\\0{perturbation}', 'f"{perturbation}', "tests/test_types.py"),
    ("cuesense/types.py", "\\0{repeat}\\0", "\\0", "tests/test_types.py"),
    ("cuesense/types.py", "np.uint64(27)", "np.uint64(26)", "tests/test_types.py"),
    (
        "cuesense/perturbations/geometry.py",
        "_crop_coordinates(boxes[:, 0], boxes[:, 2], height)",
        "_crop_coordinates(boxes[:, 1], boxes[:, 3], height)",
        "tests/perturbations/test_references.py",
    ),
    (
        "cuesense/perturbations/shape.py",
        "(1 - across, down))",
        "(across, down))",
        "tests/perturbations/test_references.py",
    ),
    (
        "cuesense/perturbations/color.py",
        "hue += 6 * turn",
        "hue -= 6 * turn",
        "tests/perturbations/test_references.py",
    ),
    (
        "cuesense/scoring.py",
        "lost=_count_by_severity(clean_correct & ~perturbed_correct",
        "lost=_count_by_severity(~clean_correct & perturbed_correct",
        "tests/test_scoring.py",
    ),
    ("cuesense/scoring.py", "first**2 - 2 * phi", "first**2 + 2 * phi", "tests/test_scoring.py"),
    ("cuesense/reliance.py", "self.likely[order[0]] < CERTAIN", "self.likely[order[0]] < 0", "tests/test_reliance.py"),
    (
        "cuesense/needs.py",
        "for s in f for t in _SUBSETS if s <= t",
        "for s in f for t in f",
        "tests/test_needs.py",
    ),
    ("cuesense/needs.py", "worth[left | {cue}] - worth[left]", "worth[left | {cue}]", "tests/test_needs.py"),
    ("cuesense/reliance.py", "part < DOMINANT", "part < 0", "tests/test_reliance.py"),
    ("cuesense/evidence.py", "stays - guesses - self.guessing", "stays - self.guessing", "tests/test_reliance.py"),
    ("cuesense/evidence.py", "before & ~right(destroyed[0])", "before", "tests/test_evidence.py"),
    ("cuesense/evidence.py", "if dose in CUT else [0]", "if dose in () else [0]", "tests/test_evidence.py"),
    ("cuesense/prediction_table.py", "seen == len(blocks)", "seen > 0", "tests/test_prediction_table.py"),
    ("cuesense/groups.py", "shares[:, None] * likely", "likely.copy()", "tests/test_groups.py"),
    (
        "cuesense/predict.py",
        "key=lambda index: dataset.sample_ids[index]",
        "key=lambda index: index",
        "tests/test_predict.py",
    ),
    ("cuesense/predict.py", "return logits[: len(pixels)].float()", "return logits.float()", "tests/test_predict.py"),
    ("cuesense/budgets.py", "np.logical_and.accumulate(", "np.array(", "tests/test_budgets.py"),
    (
        "cuesense/augment.py",
        "step(changed, classes, chosen, step_keys)",
        "step(changed, classes, Draws(step_keys).uniform(1)[:, 0] < self.policy.probability, step_keys)",
        "tests/test_augment.py",
    ),
    (
        "cuesense/recommendation.py",
        "directed=False)[1]",
        "directed=False)[1] * 0 + np.arange(size)",
        "tests/test_recommend.py",
    ),
    (
        "cuesense/exporters/common.py",
        "short(1 + value))",
        "short(1 + 2 * value))",
        "tests/exporters/test_exporters.py",
    ),
    (
        "cuesense/predict.py",
        "self.scales = [1 / spread",
        "self.scales = [spread",
        "tests/test_predict.py",
    ),
    (
        "cuesense/training.py",
        "torch.Generator().manual_seed(seed)",
        "torch.Generator().manual_seed(0)",
        "tests/test_training.py",
    ),
    ("cuesense/training.py", "step >= steps // 4", "step >= 0", "tests/test_training.py"),
    ("cuesense/trials.py", "_content(self.policy), self.seed,", "_content(self.policy),", "tests/test_trials.py"),
    (
        "cuesense/trainset.py",
        "places[np.array(dataset.labels",
        "(0 * places + np.arange(len(places)))[np.array(dataset.labels",
        "tests/test_trainset.py",
    ),
    ("cuesense/heads.py", "rest, own = fold != number", "rest, own = fold >= 0", "tests/test_heads.py"),
    ("cuesense/recoverability.py", "RUN_SPREAD + seen * found)", "RUN_SPREAD)", "tests/test_recoverability.py"),
    ("cuesense/recoverability.py", "((1, strong), (-1, plain))", "((1, strong),)", "tests/test_recoverability.py"),
    ("cuesense/recoverability.py", "& (before > chance)", "", "tests/test_recoverability.py"),
    ("cuesense/budgets.py", "found[taker] = int(reached[index])", "found[taker] = len(risk)", "tests/test_budgets.py"),
    (
        "cuesense/verification.py",
        "sides = values.mean(axis=1), values.mean(axis=0)",
        "sides = (values.mean(axis=0),) * 2",
        "tests/test_verification.py",
    ),
    (
        "cuesense/recommendation.py",
        "np.maximum(losses, 0).sum(axis=0)",
        "losses.sum(axis=0)",
        "tests/test_recommend.py",
    ),
    (
        "cuesense/verify.py",
        "leak(rival[0], rival[1][control",
        "leak(own[0], own[1][control",
        "tests/test_verify.py",
    ),
    (
        "cuesense/harm.py",
        "error / (known * (strengths - 1)), _both",
        "error, _both",
        "tests/test_harm.py",
    ),
    (
        "cuesense/harm.py",
        "self.over_images\n        single",
        "0 * self.over_images\n        single",
        "tests/test_harm.py",
    ),
    ("cuesense/harm.py", "np.nanmean(sums / of_class, axis=1)", "1 + 0 * sums[:, 0]", "tests/test_harm.py"),
    ("cuesense/harm.py", "sign * growth", "0 * growth", "tests/test_harm.py"),
    ("cuesense/harm.py", "(1 - confidence) / len(runs)", "1 - confidence", "tests/test_harm.py"),
    ("cuesense/sweep.py", "reverse=falling", "reverse=False", "tests/test_sweep.py"),
    (
        "cuesense/rivals.py",
        "- _shares(pictures.predicted[before][:, own], count)",
        "",
        "tests/test_rivals.py",
    ),
    (
        "cuesense/accuracies.py",
        'pd.factorize(table["class"], sort=True)',
        'pd.factorize(table["class"][::-1], sort=True)',
        "tests/test_accuracies.py",
    ),
    ("cuesense/checkpoints.py", "order[one.predicted]", "order[found[0].predicted]", "tests/test_auditing.py"),
    ("cuesense/probes.py", "int(np.argmin(losses))", "0", "tests/test_probes.py"),
    ("cuesense/probes.py", "probe(features[~own], labels[~own]", "probe(features, labels", "tests/test_probes.py"),
    (
        "cuesense/transferring.py",
        "numbers[torch.tensor(task.train.labels)[places]]",
        "torch.tensor(task.train.labels)[places]",
        "tests/test_transferring.py",
    ),
    (
        "cuesense/contrast.py",
        "np.where(self.p_loss() <= 1 - confidence, low, np.minimum(low, 0)), high",
        "low, high",
        "tests/test_contrast.py",
    ),
    ("cuesense/gate.py", "1 - alpha / len(asked)", "1 - alpha", "tests/test_gate.py"),
    ("cuesense/gate.py", "if finding.low > 0]", "if finding.low > -1]", "tests/test_gate.py"),
    ("cuesense/comparison.py", '"value": -contrast.loss()', '"value": contrast.loss()', "tests/test_comparison.py"),
    ("cuesense/pairing.py", "list(a.sample_ids) == list(b.sample_ids)", "True", "tests/test_comparison.py"),
    ("cuesense/reports/checking.py", '_NOT_XML.sub("\\ufffd", line)', "line", "tests/reports/test_checking.py"),
]


def notices(copy: Path, file: str, before: str, after: str, tests: str) -> bool:
    """Return whether the tests fail once the code is broken."""
    path = copy / file
    whole = path.read_text(encoding="utf-8")
    if whole.count(before) < 1:
        sys.exit(f"{file} no longer holds {before!r}")
    path.write_text(whole.replace(before, after, 1), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", tests]
    done = subprocess.run(command, cwd=copy, capture_output=True, check=False)
    path.write_text(whole, encoding="utf-8")
    return done.returncode == 1


def main() -> None:
    """Run every break."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "*cache*", "__pycache__"))
        missed = 0
        for file, before, after, tests in BREAKS:
            caught = notices(copy, file, before, after, tests)
            missed += not caught
            print(f"{'caught' if caught else 'MISSED'}  {file}: {before} -> {after}")
    sys.exit(min(missed, 1))


if __name__ == "__main__":
    main()
