"""The words of a report, each explained in a sentence or two: the same on the page wherever one of them stands."""

from __future__ import annotations

from cuesense.reports.profile_text import budget_key, budget_meaning
from cuesense.reports.text import fixed, points_with_unit
from cuesense.schemas.profile import PolicyModel


def words(policy: PolicyModel) -> dict[str, str]:
    """Return every word with its meaning in one profile.

    Args:
        policy: The profile's tolerance, risk and confidence, which the meanings state.
    """
    tolerance = points_with_unit(policy.tolerance)
    risk, confidence = (f"{fixed(100 * part, 0)}\N{NO-BREAK SPACE}%" for part in (policy.risk, policy.confidence))
    return {
        "budget": f"How far one augmentation may go for a class: {budget_meaning(policy)}; {budget_key()}.",
        "risk": f"The chance that a class loses more than {tolerance}. At most {risk} is accepted.",
        "certified": f"What the class’s own images show without the help of others: the {confidence} bound of its drop "
        f"stays within {tolerance} up to there.",
        "lean": "How many points more the class relies on a cue than the average class of this model; the letter is "
        "the cue’s. A class whose cue is undetermined “leans shape” where its lean to shape is certainly above 0.",
        "rival": "A class as which images of this class are predicted under a perturbation at its strongest value.",
        "sink": "A class onto which predictions collapse under a perturbation, whatever the image shows. Evidence is "
        "corrected for it.",
        "sufficiency": "The share of a class that stays recognized when one cue alone is left.",
        "necessity": "The share of a class that is lost when one cue is removed.",
        "mixed": "More than one cue is needed to recognize the class.",
        "redundant": "Any one cue can be removed, because at least two suffice, each by itself.",
        "insensitive": "The class is recognized even with shape, texture and color all removed: something else gives "
        "it away.",
        "fine detail": "Small detail is needed, as texture or as thin lines and parts; which of them is not told.",
        "undetermined": "Not decided: too few images, another class that looks the same, or two answers that both fit. "
        "More images can decide it.",
        "usual loss": "The largest expected accuracy drop under crop, color jitter and flip at their usual strength, "
        "of the trained model on augmented test images.",
    }
