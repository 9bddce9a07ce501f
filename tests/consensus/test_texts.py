"""Aggregation of typed texts."""

from refonte_studio.consensus.texts import MAX_CHARACTERS, edit_similarity, typical_text


def test_likeness_counts_the_edits_by_the_longer_text():
    assert edit_similarity("kitten", "sitting") == 1 - 3 / 7  # Levenshtein's distance is 3
    assert edit_similarity("", "") == 1.0
    assert edit_similarity("", "abc") == 0.0


def test_neither_case_nor_white_space_makes_a_difference():
    assert edit_similarity("Onion  Soup\n", "onion soup") == 1.0
    assert edit_similarity("Straße", "STRASSE") == 1.0


def test_what_more_than_half_wrote_to_the_letter_comes_first():
    texts = ["onion sou", "Onion soup", "onion soup", "Onion soup"]
    assert typical_text(texts, [1, 1, 1, 1.1]) == 1
    assert typical_text(["b", "a", "a"], [1, 1, 1]) == 1
    assert typical_text(["b", "a", "a"], [1, 0.4, 0.4]) == 0


def test_else_the_text_that_needs_the_fewest_edits_to_become_the_others():
    assert typical_text(["a completely other thing", "onion soup", "onion soups", "onions soup"], [1] * 4) == 1
    assert typical_text(["abc", "xyz"], [1, 1]) == 0


def test_the_work_for_long_texts_is_bounded_and_their_ends_are_looked_at():
    long = "x" * (50 * MAX_CHARACTERS)
    assert edit_similarity(long, long[:-1] + "y") == 1 - 1 / MAX_CHARACTERS
    assert typical_text([long, long + "y", long + "yy"], [1] * 3) == 1
