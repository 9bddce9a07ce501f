"""A small team with work done and work to do, so that a newcomer has something to look at and to label."""

from refonte_studio.demo.team import TEAM, DemoTeam, Member, check_absent, make, put

__all__ = ["TEAM", "DemoTeam", "Member", "check_absent", "make", "put"]
