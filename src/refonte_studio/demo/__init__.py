"""A small team with work done and work to do, so that a newcomer has something to look at and to label."""

from refonte_studio.demo.team import TEAM, Member, make

__all__ = ["TEAM", "Member", "make"]
