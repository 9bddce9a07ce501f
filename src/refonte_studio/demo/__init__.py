"""A small team with finished and open work, so that a newcomer has something to explore and label."""

from refonte_studio.demo.team import TEAM, DemoTeam, Member, check_absent, make, put

__all__ = ["TEAM", "DemoTeam", "Member", "check_absent", "make", "put"]
