"""What a terminal shows of a verification."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cuesense.reports.terminal.verification import render
from cuesense.schemas.base import Estimate
from cuesense.schemas.verification import Leak, Verification
from tests.helpers.verifications import BY_CLASS, PLAIN, SAME, USUAL, arm, of_accuracy, verification


def shown(found: Verification, width: int = 100) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(render(found))
    return stream.getvalue()


def test_a_terminal_shows_every_policy_in_eighty_columns() -> None:
    said = shown(verification(PLAIN, USUAL, SAME, BY_CLASS), 80)
    assert "…" not in said
    assert "2 seeds, 1,234 test images" in said
    for words in (
        "none",
        "usual",
        "as none",
        "-5.0 ±2.0",
        "-20.0",
        "70.0\N{NO-BREAK SPACE}% / 45.0\N{NO-BREAK SPACE}%",
    ):
        assert words in said
    assert "rank correlation 0.90" in " ".join(said.split())
    assert "Warning: Beware." in said


def test_it_names_the_classes_that_lose_and_those_that_leak() -> None:
    said = shown(verification(PLAIN, USUAL, BY_CLASS), 200)
    assert "usual (random resized crop 0.08): more than 5 points lost by <class 1> (0 of them for certain)" in said
    assert "Classes recognized by their augmentation, per class: <class 0> 20.0\N{NO-BREAK SPACE}pp" in said
    assert "no two losses differ" in shown(verification(PLAIN, spearman=None))


@pytest.mark.parametrize(("classes", "more"), [(5, ""), (6, " and 1 more")])
def test_five_classes_over_the_tolerance_are_named(classes: int, more: str) -> None:
    names = [f"c{index}" for index in range(classes)]
    over = arm("usual", [0.0], [0.0], over_tolerance=names, surely_over=names[:1])
    assert f"lost by c0, c1, c2, c3, c4{more} (1 of them for certain)" in shown(verification(PLAIN, over), 200)


@pytest.mark.parametrize(
    ("value", "low", "named"), [(0.05, 0.001, True), (0.0499, 0.001, False), (0.05, 0.0, False), (0.05, None, False)]
)
def test_leaks_are_named_where_they_are_large_and_certain(value: float, low: float | None, named: bool) -> None:
    leak = Leak(name="bee", share=0.3, control=0.2, excess=Estimate(value=value, low=low, high=0.3))
    output = shown(verification(PLAIN, arm("per_class", [0.0], [0.0], leaks=[leak])), 200)
    assert ("augmentation, per class: bee" in output) == named
    assert ("augmentation, per class: none is shown" in output) != named


def test_unknown_changes_are_dashes_and_changes_without_interval_stand_alone() -> None:
    unknown = arm("usual", [0.0], [0.0], mean_change=Estimate(value=None, low=None, high=None), forecast_worst=None)
    (row,) = [
        line for line in shown(verification(PLAIN, unknown)).splitlines() if line.startswith("usual ") and "%" in line
    ]
    assert row.split()[3] == "–"
    assert row.split()[-1] == "–"
    bare = arm("usual", [0.0], [0.0], mean_change=Estimate(value=-0.05, low=None, high=None))
    assert "-5.0 " in shown(verification(PLAIN, bare))
    assert "±" not in shown(verification(bare))


def test_names_command_no_terminal() -> None:
    evil = verification(PLAIN, arm("usual", [0.0], [0.0], over_tolerance=["a\x1b[2J"]))
    output = shown(evil.model_copy(update={"warnings": ["b\x1b[2J"]}))
    assert "\x1b" not in output
    assert "b\ufffd[2J" in output


@pytest.mark.parametrize(
    ("seeds", "gain", "verdict"),
    [
        (5, 0.031, ": better"),
        (5, 0.012, ": not shown to be better"),
        (4, 0.031, ""),
    ],
)
def test_rivals_are_held_against_the_recommended_policy(seeds: int, gain: float, verdict: str) -> None:
    known = {"lowest_gain": gain, "lowest_gain_error": 0.012}
    rival = arm("weighted", [0.0], [None], mean=0.748, worst=0.55, doses="<b>, class weights 0.80 to 1.20", **known)
    own, same = arm("global", [0.0], [0.0], lowest_gain=0.0), arm("relaxed", [0.0], [0.0], same_as="global", **known)
    found = verification(PLAIN, own, rival, same).model_copy(update={"seeds": list(range(seeds))})
    said = shown(found, 200)
    lines = [line for line in said.splitlines() if "against the recommended policy" in line]
    assert [line.strip() for line in lines] == [
        "The policy with class weights (<b>, class weights 0.80 to 1.20) against the recommended policy: lowest "
        f"recall {100 * gain:+.1f} points (standard error 1.2), mean \N{MINUS SIGN}0.2{verdict}"
    ]
    assert ("4 seeds cannot tell any of these from luck: give --seeds 5." in said) == (seeds == 4)
    assert said.startswith("The policy with class weights" if verdict == ": better" else "The recommended policy")
    assert "against the recommended policy" not in shown(verification(PLAIN, rival), 200)


def test_a_rival_that_is_the_recommended_policy_is_not_held_against_itself() -> None:
    plain = PLAIN.model_copy(update={"lowest_gain": 0.0})
    assert "against the recommended policy" not in shown(verification(plain, SAME), 200)
    assert "against the recommended policy" in shown(verification(plain, arm("global", [0.0], [0.0])), 200)


def test_networks_that_guess_are_the_first_line_and_weak_ones_stand_above_the_table() -> None:
    guessing = " ".join(shown(of_accuracy(verification(PLAIN, USUAL, BY_CLASS), 0.09, guessing=True)).split())
    assert guessing.startswith("Warning: The networks trained without augmentation recognize 9.0")
    assert guessing.count("nothing can be said about any policy") == 1
    assert guessing.endswith("Warning: Beware.")
    for words in ("more than 5 points lost", "rank correlation", "recognized by their augmentation", "are weaker"):
        assert words not in guessing
    weak = shown(of_accuracy(verification(PLAIN, USUAL, BY_CLASS), 0.4))
    assert "\nThese networks are weaker than the analyzed model" in weak
    assert weak.index("are weaker") < weak.index("Policy")
    assert "more than 5 points lost" in weak
