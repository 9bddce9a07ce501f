"""The random days of the working loop, with review: after every step the whole database is audited."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.dispatch.test_stateful import CATEGORIES, WORKERS, Studio, index, run_days, worker

DECISIONS = ["accept", "accept", "fix", "reject", "reject", "reject", "hold", "release"]


class Reviewed(Studio):
    """Whoever works reviews, too, and every project that comes has what it does by levels or by confidence."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        for project in range(len(self.projects)):
            self.change_review(project, 1 + project % 2, 0.6)

    @rule(project=index, levels=st.integers(0, 2), below=st.sampled_from([0.6, 0.99]))
    def change_review(self, project: int, levels: int, below: float) -> None:
        path = f"/projects/{self.projects[project % len(self.projects)]}"
        assert self.call("ana", "POST", f"{path}/quality", {"review_levels": levels, "review_below": below})
        emails = [self.who(name).email for name in (*WORKERS, "ana")]
        assert self.call("ana", "POST", f"{path}/reviewers/add", {"emails": emails})

    @rule(
        person=worker | st.just("ana"),
        how=st.sampled_from(DECISIONS),
        send_to=st.sampled_from(["same", "same", "different", "anyone"]),
        answer=st.sampled_from(CATEGORIES),
    )
    def review(self, person: str, how: str, send_to: str, answer: str) -> None:
        given = self.call(person, "POST", "/reviews/claim")
        if given is None or how == "hold":
            return
        body: dict[str, Any] = {"comments": "said"}
        if how == "fix":
            body["response"] = {"category": answer}
        if how == "reject":
            body["send_to"] = send_to
        path = f"/reviews/{given['review_id']}/{how}"
        done = self.call(person, "POST", path, None if how == "release" else body)
        assert done is not None
        assert self.call(person, "POST", path, None if how == "release" else body) == done

    @rule(reviews=st.lists(st.tuples(worker, st.sampled_from(DECISIONS), st.sampled_from(["same", "anyone"]))))
    def review_much(self, reviews: list[tuple[str, str, str]]) -> None:
        for person, how, send_to in reviews:
            self.review(person, how, send_to, "b")
            self.the_database_is_sound()


@pytest.mark.timeout(240)
def test_random_reviews_break_no_rule(engine: str, request: pytest.FixtureRequest):
    run_days(Reviewed, engine, request, examples=3, steps=30)
