"""Who reads and writes which table, by the parsed statements of every store."""

from refonte_studio.db.ownership import LICENCES, OWNERS, READS_EVERYTHING
from refonte_studio.db.schema import metadata
from tests.house.sources import ROOMS
from tests.house.statements import statements, unrecorded, uses
from tests.house.test_layout import listed


def test_every_call_of_a_store_is_recorded():
    missed = unrecorded()
    assert not missed, listed(missed)


def test_every_table_has_one_owner():
    assert set(OWNERS) == set(metadata.tables)
    assert set(OWNERS.values()) <= {*ROOMS, "db"}


def test_a_table_is_used_by_its_owner_and_by_those_with_a_licence():
    licensed = {(licence.room, licence.access, table) for licence in LICENCES for table in licence.tables}
    licensed |= {(room, "read", table) for room in READS_EVERYTHING for table in OWNERS}
    foreign = {
        (statement.room, use.access, use.table): statement
        for statement in statements()
        for use in uses(statement)
        if OWNERS[use.table] != statement.room
    }
    trespasses = [f"{' '.join(use)}: {statement}" for use, statement in foreign.items() if use not in licensed]
    assert not trespasses, listed(sorted(trespasses))


def test_every_licence_is_used():
    used = {(statement.room, use.access, use.table) for statement in statements() for use in uses(statement)}
    granted = [(licence.room, licence.access, table) for licence in LICENCES for table in licence.tables]
    idle = [" ".join(licence) for licence in granted if licence not in used]
    own = [" ".join(licence) for licence in granted if OWNERS[licence[2]] == licence[0]]
    twice = [" ".join(licence) for licence in set(granted) if granted.count(licence) > 1]
    assert not idle + own + twice, listed(idle + own + twice)
