# SPDX-License-Identifier: GPL-3.0-or-later
"""What the product shows now, held against what the journal knows."""

from __future__ import annotations

from dataclasses import dataclass

from seatkeeper_agent.domain.licenses import Item, ItemKey, ItemStatus, Measure, find_item
from seatkeeper_agent.domain.problems import Problem, ProblemCode
from seatkeeper_agent.domain.records import Account, Event, Posting
from seatkeeper_agent.domain.transfers import Declaration, Mode
from seatkeeper_agent.journal import Unit
from seatkeeper_agent.journal.counters import container_counters
from seatkeeper_agent.operations.ports import LicenseDriver

LOTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class ItemObservation:
    """One look at the items of a declaration's codes in one container."""

    container: str
    codes: str
    items: tuple[Item, ...]
    update_counter: int

    @classmethod
    def take(
        cls, driver: LicenseDriver, container: str, declaration: Declaration
    ) -> ItemObservation:
        """Look once; DriverError if the product does not answer."""
        codes = ItemKey(declaration.item.firm_code, declaration.item.product_code)
        items = tuple(driver.items(container, codes))
        counter = driver.firm_items(container).get(declaration.firm_code, 0)
        return cls(container, str(codes), items, counter)

    def owned(self, measure: Measure) -> int:
        """What is usable here and not borrowed from elsewhere."""
        return sum(item.amount(measure) for item in self.items if item.borrowed_until is None)

    @property
    def present(self) -> tuple[Item, ...]:
        """The items that are still here."""
        return tuple(item for item in self.items if item.status is not ItemStatus.DELETED)


def the_container(driver: LicenseDriver, serial: str | None) -> str:
    """The named container, or the only one; a Problem where that is not clear."""
    serials = [container.serial for container in driver.containers()]
    if serial is None and len(serials) == 1:
        return serials[0]
    if serial is None:
        raise Problem(
            ProblemCode.CONTAINER_AMBIGUOUS,
            f"This host holds {len(serials)} containers ({', '.join(serials) or 'none'}), and the"
            " transfer does not say which.",
            "Name the container.",
        )
    if serial not in serials:
        raise Problem(
            ProblemCode.CONTAINER_UNKNOWN,
            f"This host holds no container {serial}; it holds {', '.join(serials) or 'none'}.",
            "Name one of them or have it plugged in or activated.",
        )
    return serial


def the_item(
    observation: ItemObservation, declaration: Declaration, parent_vendor_id: str | None
) -> Item:
    """The one item that a transfer names at its source; a Problem for none or several.

    A return names what came with its parent, told by the vendor's own transfer id.
    """
    found = find_item(observation.items, declaration.item)
    if declaration.mode is Mode.RETURN:
        found = [item for item in found if _came_so(item, declaration, parent_vendor_id)]
    elif declaration.item.reference is None and len(found) > 1:
        # What is borrowed moves no further, so it is no candidate beside an item that may.
        found = [item for item in found if item.borrowed_until is None] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise Problem(
            ProblemCode.ITEM_UNKNOWN,
            f"The container {observation.container} holds no item {declaration.item}"
            f"{' that it received so' if declaration.mode is Mode.RETURN else ''}, which transfer"
            f" {declaration.name!r} names.",
            "Look at what license_info lists and correct the item.",
        )
    choices = ", ".join(str(item.key) for item in found)
    raise Problem(
        ProblemCode.ITEM_AMBIGUOUS,
        f"The container {observation.container} holds {len(found)} items {declaration.item}:"
        f" {choices}.",
        "Name one of them with its reference.",
    )


def _came_so(item: Item, declaration: Declaration, parent_vendor_id: str | None) -> bool:
    if declaration.parent is None:
        return item.origin_serial == declaration.target.container
    # A parent that never arrived here brought nothing, so nothing else goes back in its name.
    return parent_vendor_id is not None and item.transfer_id == parent_vendor_id


def ended_lots(unit: Unit, container: str, codes: str, box_at: int) -> dict[Measure, int]:
    """What borrows lent from here, whose end is past and not posted yet, may have given back."""
    sums = dict.fromkeys(Measure, 0)
    for record in unit.transfers.lent_before(box_at + 1, LOTS_MAX):
        item = record.declaration.item
        if (record.container, f"{item.firm_code}:{item.product_code}") == (container, codes):
            for measure, amount in record.amounts.items():
                sums[measure] += amount
    return sums


def _difference(
    unit: Unit,
    container: str,
    codes: str,
    measure: Measure,
    owned: dict[Measure, int],
    ended: dict[Measure, int],
) -> int:
    """By how much the container shows more than the ledger, less what lots that ended gave back."""
    found = owned[measure] - unit.ledger.balance(Account.CONTAINER, container, codes, measure)
    return max(0, found - ended[measure]) if found > 0 else found


def reconcile(
    unit: Unit,
    vendor: str,
    container: str,
    codes: str,
    owned: dict[Measure, int],
    ended: dict[Measure, int],
) -> None:
    """Post what changed outside of Seatkeeper, the first sight of an item included.

    What lots that ``ended`` gave back is left alone: their own end is posted for it.
    """
    postings: list[Posting] = []
    for measure in owned:
        difference = _difference(unit, container, codes, measure, owned, ended)
        if difference:
            postings += [
                Posting(Account.CONTAINER, container, codes, measure, difference),
                Posting(Account.VENDOR, vendor, codes, measure, -difference),
            ]
    if postings:
        unit.ledger.post(Event.OBSERVED, postings)
        changes = {row.measure.value: row.amount for row in postings[::2]}
        unit.audit.append("agent", "observed", f"{container} {codes}", changes)


def refuse_vanished(
    unit: Unit,
    container: str,
    codes: str,
    shown: frozenset[str],
    owned: dict[Measure, int],
    ended: dict[Measure, int],
) -> None:
    """Miss rows of the vendor's history that were there: a snapshot or a cleaning-up.

    A restored container has back what its row took, or lacks what its row brought. Where the
    amounts are those of the ledger, the runtime only removed what it no longer needs; a row of a
    transfer on its way is never removed. ``ended`` is what ended borrows may have given back.
    """
    gone = unit.vendor_rows.known(container, codes) - shown
    if not gone:
        return
    differs = any(_difference(unit, container, codes, m, owned, ended) for m in Measure)
    if differs or gone & unit.transfers.under_way_ids():
        raise rolled_back(
            f"The container {container} has lost {len(gone)} rows of its transfer history of"
            f" {codes}, which the journal has seen"
        )


def note_counter(unit: Unit, container: str, firm_code: int, update_counter: int) -> None:
    """Remember how far the container's metering has come."""
    unit.counters.raise_to(container_counters(container), str(firm_code), update_counter)


def refuse_rollback(unit: Unit, container: str, firm_code: int, update_counter: int) -> None:
    """Notice a container that is older than the journal: a restored snapshot."""
    highest = unit.counters.highest(container_counters(container), str(firm_code))
    if highest is not None and update_counter < highest:
        raise rolled_back(
            f"The container {container} shows update counter {update_counter} for firm code"
            f" {firm_code}, the journal has seen {highest}"
        )


def rolled_back(what: str) -> Problem:
    """A host or container that went back in time."""
    return Problem(
        ProblemCode.SNAPSHOT_ROLLED_BACK,
        f"{what}: a snapshot or backup was restored over newer state, so licenses that were"
        " moved may exist twice.",
        "Use neither host's licenses before the licensor has said which of them count, then confirm"
        " it with seatkeeper-agent attest OPERATION settled STATEMENT.",
    )
