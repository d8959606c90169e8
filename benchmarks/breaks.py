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
    ("cuesense/draws.py", 'f"{seed}\\0{perturbation}', 'f"{perturbation}', "tests/test_draws.py"),
    ("cuesense/draws.py", "\\0{repeat}\\0", "\\0", "tests/test_draws.py"),
    ("cuesense/draws.py", "(30, 27, 31,", "(30, 26, 31,", "tests/test_draws.py"),
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
        "cuesense/stats/curves.py",
        "lost=_count_by_severity(clean_correct & ~perturbed_correct",
        "lost=_count_by_severity(~clean_correct & perturbed_correct",
        "tests/stats/test_curves.py",
    ),
    ("cuesense/stats/intervals.py", "first**2 - 2 * phi", "first**2 + 2 * phi", "tests/stats/test_intervals.py"),
    (
        "cuesense/analysis/cues.py",
        "likely[order[0]] < _certain(found)",
        "likely[order[0]] < 0",
        "tests/analysis/test_cues.py",
    ),
    (
        "cuesense/analysis/hypotheses.py",
        "for s in f for t in _SUBSETS if s <= t",
        "for s in f for t in f",
        "tests/analysis/test_hypotheses.py",
    ),
    (
        "cuesense/analysis/hypotheses.py",
        "worth[left | {cue}] - worth[left]",
        "worth[left | {cue}]",
        "tests/analysis/test_hypotheses.py",
    ),
    ("cuesense/analysis/cues.py", "part < DOMINANT", "part < 0", "tests/analysis/test_cues.py"),
    (
        "cuesense/analysis/evidence.py",
        "(stays - mutual - self.guessing) / apart,",
        "(stays - self.guessing) / apart,",
        "tests/analysis/test_cues.py",
    ),
    ("cuesense/analysis/evidence.py", "before & ~right(destroyed[0])", "before", "tests/analysis/test_evidence.py"),
    (
        "cuesense/analysis/evidence.py",
        "if ablation in TILED else [0]",
        "if ablation in () else [0]",
        "tests/analysis/test_evidence.py",
    ),
    ("cuesense/predictions/table_conditions.py", "seen == len(blocks)", "seen > 0", "tests/predictions/test_table.py"),
    ("cuesense/analysis/groups.py", "shares[:, None] * likely", "likely.copy()", "tests/analysis/test_groups.py"),
    (
        "cuesense/inference/units.py",
        "key=ids.__getitem__",
        "key=int",
        "tests/inference/test_engine.py",
    ),
    (
        "cuesense/inference/runner.py",
        "given = given[: len(pixels)]",
        "given = given[:]",
        "tests/inference/test_engine.py",
    ),
    (
        "cuesense/inference/units.py",
        "rows[0] // size * count + group",
        "len(found)",
        "tests/inference/test_units.py",
    ),
    (
        "cuesense/predictions/missing.py",
        "columns[number, column] and wanted.conditions[number] not in held",
        "columns[number, column] and not held",
        "tests/predictions/test_missing.py",
    ),
    (
        "cuesense/predictions/predictions.py",
        "stands_for = images[of] / np.bincount(of, minlength=len(images))[of]",
        "stands_for = np.ones(len(of))",
        "tests/predictions/test_predictions.py",
    ),
    (
        "cuesense/adaptive/plan.py",
        "~before & ~whole & agrees, allowed - spent",
        "~before & ~whole, allowed - spent",
        "tests/adaptive/test_plan.py",
    ),
    (
        "cuesense/predictions/outcomes.py",
        '_best(found["scores"][:, self.outputs])',
        '_best(found["scores"][:, : len(self.outputs)])',
        "tests/predictions/test_outcomes.py",
    ),
    (
        "cuesense/policies/budgets.py",
        "np.logical_and.accumulate(safe & answered, axis=0)",
        "(safe & answered)",
        "tests/policies/test_budgets.py",
    ),
    (
        "cuesense/training/augmentation.py",
        "step(changed, classes, chosen, step_keys)",
        "step(changed, classes, Draws(step_keys).uniform(1)[:, 0] < self.policy.probability, step_keys)",
        "tests/training/test_augmentation.py",
    ),
    (
        "cuesense/policies/recommend.py",
        "directed=False)[1]",
        "directed=False)[1] * 0 + np.arange(size)",
        "tests/policies/test_recommend.py",
    ),
    (
        "cuesense/exporters/common.py",
        "short(1 + value))",
        "short(1 + 2 * value))",
        "tests/exporters/test_exporters.py",
    ),
    (
        "cuesense/inference/batches.py",
        "self.scales = [1 / spread",
        "self.scales = [spread",
        "tests/inference/test_engine.py",
    ),
    (
        "cuesense/training/fit.py",
        "torch.Generator().manual_seed(seed)",
        "torch.Generator().manual_seed(0)",
        "tests/training/test_fit.py",
    ),
    ("cuesense/training/fit.py", "step >= steps // 4", "step >= 0", "tests/training/test_fit.py"),
    (
        "cuesense/training/trials.py",
        "content = [policy, self.seed,",
        "content = [policy,",
        "tests/training/test_trials.py",
    ),
    (
        "cuesense/training/images.py",
        "output_of_class[np.array(dataset.labels",
        "np.arange(len(output_of_class))[np.array(dataset.labels",
        "tests/training/test_images.py",
    ),
    (
        "cuesense/training/linear_probe.py",
        "(1 - probability, clean[~own])]\n        _fit(head, views, labels[~own],",
        "(1 - probability, clean)]\n        views[0] = (probability, changed)\n        _fit(head, views, labels,",
        "tests/training/test_linear_probe.py",
    ),
    (
        "cuesense/stats/training_loss.py",
        "RUN_SPREAD + seen * found)",
        "RUN_SPREAD)",
        "tests/stats/test_training_loss.py",
    ),
    (
        "cuesense/stats/training_loss.py",
        "((1, strong), (-1, plain))",
        "((1, strong),)",
        "tests/stats/test_training_loss.py",
    ),
    ("cuesense/stats/training_loss.py", "& (before > chance)", "", "tests/stats/test_training_loss.py"),
    (
        "cuesense/policies/budgets.py",
        "found[taker] = int(reached[index])",
        "found[taker] = len(risk)",
        "tests/policies/test_budgets.py",
    ),
    (
        "cuesense/stats/over_seeds.py",
        "sides = values.mean(axis=1), values.mean(axis=0)",
        "sides = (values.mean(axis=0),) * 2",
        "tests/stats/test_over_seeds.py",
    ),
    (
        "cuesense/policies/search.py",
        "gains = np.where(self._safe(cost), self._gains(cost), -np.inf)",
        "gains = self._gains(cost)",
        "tests/policies/test_search.py",
    ),
    (
        "cuesense/training/trials.py",
        "task.train.weighted(policy.class_weights)",
        "task.train",
        "tests/training/test_trials.py",
    ),
    (
        "cuesense/policies/rivals.py",
        "gained = taken.sum(axis=0)",
        "gained = taken.sum(axis=1)",
        "tests/policies/test_rivals.py",
    ),
    (
        "cuesense/policies/rivals.py",
        "(weights or not rival.class_weights)",
        "True",
        "tests/policies/test_rivals.py",
    ),
    (
        "cuesense/policies/advice.py",
        "chosen = after_verification(known, found.policy, options, losses)",
        "chosen = found.policy",
        "tests/policies/test_advice.py",
    ),
    (
        "cuesense/stats/drop_risk.py",
        "return _isotonic(_at_cells(self._above(tolerance), self.cell))",
        "return _at_cells(self._above(tolerance), self.cell)",
        "tests/stats/test_drop_risk.py",
    ),
    (
        "cuesense/predictions/recognition.py",
        "bool(accuracy <= least)",
        "False",
        "tests/predictions/test_recognition.py",
    ),
    (
        "cuesense/workflows/verify_results.py",
        "leak(rival[0], rival[1][control",
        "leak(own[0], own[1][control",
        "tests/workflows/test_verify.py",
    ),
    (
        "cuesense/sweeps/losses.py",
        "error / (known * (strengths - 1)), _both",
        "error, _both",
        "tests/sweeps/test_losses.py",
    ),
    (
        "cuesense/sweeps/losses.py",
        "seeds[:, None] + self.over_images",
        "seeds[:, None] + 0 * self.over_images",
        "tests/sweeps/test_losses.py",
    ),
    (
        "cuesense/sweeps/losses.py",
        "np.nanmean(sums / of_class, axis=1)",
        "1 + 0 * sums[:, 0]",
        "tests/sweeps/test_losses.py",
    ),
    ("cuesense/sweeps/losses.py", "sign * growth", "0 * growth", "tests/sweeps/test_losses.py"),
    ("cuesense/sweeps/losses.py", "(1 - confidence) / len(runs)", "1 - confidence", "tests/sweeps/test_losses.py"),
    ("cuesense/sweeps/sweep.py", 'reverse=direction.order == "falling"', "reverse=False", "tests/sweeps/test_sweep.py"),
    (
        "cuesense/sweeps/rivals.py",
        "- _shares(per_image.predicted[before][:, own], count)",
        "",
        "tests/sweeps/test_rivals.py",
    ),
    (
        "cuesense/sweeps/accuracy_table.py",
        'classes, class_names = pd.factorize(table["class"], sort=True)',
        'classes, class_names = pd.factorize(table["class"][::-1], sort=True)',
        "tests/sweeps/test_accuracy_table.py",
    ),
    (
        "cuesense/inference/checkpoints.py",
        "order[one.predicted[counted]]",
        "order[found[0].predicted[counted]]",
        "tests/workflows/test_audit.py",
    ),
    ("cuesense/training/linear_probe.py", "int(np.argmin(losses))", "0", "tests/training/test_linear_probe.py"),
    (
        "cuesense/training/linear_probe.py",
        "fit_and_predict(features[~own], labels[~own]",
        "fit_and_predict(features, labels",
        "tests/training/test_linear_probe.py",
    ),
    (
        "cuesense/workflows/transfer.py",
        "numbers[torch.tensor(task.train.labels)[rows]]",
        "torch.tensor(task.train.labels)[rows]",
        "tests/workflows/test_transfer.py",
    ),
    (
        "cuesense/stats/model_difference.py",
        "np.where(self.p_loss() <= 1 - confidence, low, np.minimum(low, 0)), high",
        "low, high",
        "tests/stats/test_model_difference.py",
    ),
    ("cuesense/comparison/gate.py", "1 - alpha / len(tested)", "1 - alpha", "tests/comparison/test_gate.py"),
    ("cuesense/comparison/gate.py", "if finding.low > 0]", "if finding.low > -1]", "tests/comparison/test_gate.py"),
    (
        "cuesense/comparison/compare.py",
        '"value": -contrast.loss()',
        '"value": contrast.loss()',
        "tests/comparison/test_compare.py",
    ),
    (
        "cuesense/comparison/pairing.py",
        "list(a.sample_ids) == list(b.sample_ids)",
        "True",
        "tests/comparison/test_compare.py",
    ),
    (
        "cuesense/reports/junit.py",
        '_NOT_XML.sub("\\ufffd", line)',
        "line",
        "tests/reports/test_junit.py",
    ),
    (
        "cuesense/analysis/cues.py",
        "disagrees = contradiction(verdict, evidence)",
        "disagrees = None",
        "tests/analysis/test_contradictions.py",
    ),
    ("cuesense/stores/arrays.py", "if settings != self.settings:", "if False:", "tests/stores/test_arrays.py"),
    ("cuesense/stores/arrays.py", "if name != path.name:", "if False:", "tests/stores/test_arrays.py"),
    (
        "cuesense/stores/lock.py",
        "fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "pass",
        "tests/stores/test_lock.py",
    ),
    (
        "cuesense/predictions/copies.py",
        "np.asarray(labels).astype(np.uint64)], axis=1)",
        "np.zeros(len(labels), np.uint64)], axis=1)",
        "tests/predictions/test_copies.py",
    ),
    (
        "cuesense/tables/escape.py",
        """return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text""",
        "return text",
        "tests/tables/test_escape.py",
    ),
    (
        "cuesense/predictions/label_order.py",
        "if _stops(found, chance):",
        "if False:",
        "tests/predictions/test_label_order.py",
    ),
    (
        "cuesense/inference/one_image.py",
        "signs = _draws(states) + _changed(buffers, _buffers(trial.network))",
        "signs: list[str] = []",
        "tests/inference/test_one_image.py",
    ),
    (
        "cuesense/models/trust.py",
        "elif not self.allow_code and name not in _typed:",
        "elif False:",
        "tests/models/test_trust.py",
    ),
    (
        "cuesense/datasets/splits.py",
        "if not labeled or (not shared and any(_has_image(path) for path in others)):",
        "if not labeled:",
        "tests/datasets/test_splits.py",
    ),
    (
        "cuesense/inference/class_outputs.py",
        "decided and only_numbers > only_text",
        "decided and only_numbers < only_text",
        "tests/inference/test_class_outputs.py",
    ),
    (
        "cuesense/datasets/tars.py",
        "entry.offset_data, entry.size",
        "entry.offset, entry.size",
        "tests/datasets/test_wds.py",
    ),
    (
        "cuesense/datasets/columns.py",
        'in ("label", "labelname")',
        'in ("labelname",)',
        "tests/datasets/test_columns.py",
    ),
    (
        "cuesense/datasets/folder.py",
        "(folder.is_symlink() and self._leads_elsewhere(real, name))",
        "(folder.is_symlink() and False)",
        "tests/datasets/test_folder.py",
    ),
    (
        "cuesense/reports/headline.py",
        "return risk is not None and risk < _LIKELY",
        "return risk is not None and risk >= _LIKELY",
        "tests/reports/test_headline.py",
    ),
    (
        "cuesense/reports/confusions.py",
        "[entry.index], 6) >= FEWEST_TAKEN",
        "[entry.index], 6) >= 0",
        "tests/reports/test_confusions.py",
    ),
    (
        "cuesense/reports/cue_map.py",
        "return color + shape / 2, shape",
        "return shape + color / 2, shape",
        "tests/reports/test_cue_map.py",
    ),
    (
        "cuesense/analysis/examples.py",
        "np.lexsort((images, is_new, flips))[0]",
        "np.lexsort((images, is_new, flips))[-1]",
        "tests/analysis/test_examples.py",
    ),
    (
        "cuesense/workflows/pictures.py",
        "np.exp(-np.float64(outcomes.margin[at]))",
        "np.exp(np.float64(outcomes.margin[at]))",
        "tests/workflows/test_pictures.py",
    ),
    (
        "cuesense/reports/usual_losses.py",
        "    if not entry.clean_accuracy:\n        return None\n",
        "",
        "tests/reports/test_usual_losses.py",
    ),
    (
        "cuesense/reports/markdown/text.py",
        '_WEB.sub(r"\\1&#46;", _MARKUP.sub(lambda found: _reference(found[0]), joined))',
        '_WEB.sub(r"\\1&#46;", joined)',
        "tests/reports/markdown/test_text.py",
    ),
    (
        "cuesense/inference/units.py",
        "range(count + 1)]\n    return [conditions",
        "range(count)]\n    return [conditions",
        "tests/inference/test_units.py",
    ),
    (
        "cuesense/inference/ray_pool.py",
        "waiting.extendleft([] if place is None else [place])",
        "waiting.extendleft([])",
        "tests/inference/test_ray_pool.py",
    ),
    (
        "cuesense/inference/ray_checkpoints.py",
        "    if kept is None:\n",
        "    if True:\n",
        "tests/inference/test_ray_checkpoints.py",
    ),
    (
        "cuesense/training/trials.py",
        "enumerate(pool.results(new), 1)",
        "enumerate(list(pool.results(new)), 1)",
        "tests/training/test_trials.py",
    ),
]


def notices(copy: Path, file: str, before: str, after: str, tests: str) -> bool:
    """Return whether the tests fail once the code is broken."""
    path = copy / file
    whole = path.read_text(encoding="utf-8")
    if whole.count(before) != 1:
        sys.exit(f"{file} holds {before!r} {whole.count(before)} times instead of once")
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
