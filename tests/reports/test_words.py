from cuesense.reports.profile_text import budget_meaning
from cuesense.reports.words import words
from tests.helpers.profiles import profile


def test_words_state_the_numbers_of_their_profile():
    policy = profile(2).policy.model_copy(update={"tolerance": 0.08, "risk": 0.1, "confidence": 0.9})
    found = words(policy)
    assert budget_meaning(policy) in found["budget"]
    assert "8.0\N{NO-BREAK SPACE}pp" in found["risk"]
    assert "10\N{NO-BREAK SPACE}%" in found["risk"]
    assert "90\N{NO-BREAK SPACE}%" in found["certified"]
    assert {"sink", "rival", "sufficiency", "insensitive", "undetermined", "lean"} <= set(found)
    assert all(meaning.endswith(".") for meaning in found.values())
