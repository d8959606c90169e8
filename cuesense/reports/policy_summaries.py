"""A policy and an advice in one to a few lines, as a notebook and a debugger show them."""

from __future__ import annotations

from cuesense.policies.advice import Advice
from cuesense.policies.policy import Policy
from cuesense.reports.policy_text import describe
from cuesense.reports.text import counted, percent, printable


def policy_summary(policy: Policy) -> str:
    """Return a policy's augmentations, and for whom they are, in one line."""
    whom = counted(len(policy.class_names), "class") + (", all alike" if policy.scope == "global" else ", by class")
    if policy.scope == "grouped":
        whom = f"{counted(len(policy.values), 'group')} of {counted(len(policy.class_names), 'class')}"
    views = f" for {percent(policy.probability)} of the views" if policy.names else ""
    weights = ", with class weights" if policy.class_weights else ""
    return f"<Policy for {whom}: {describe(policy)}{views}{weights}>"


def advice_summary(advice: Advice) -> str:
    """Return what is recommended, and one line for each forecast."""
    lines = [f"<Advice: {describe(advice.policy)}>"]
    lines += [
        f"  {name}: {percent(found.mean)} on average, worst {percent(found.worst)} ({printable(found.worst_class)})"
        for name, found in advice.outlooks.items()
    ]
    return "\n".join([*lines, *([f"  {advice.trainings}"] if advice.trainings else [])])
