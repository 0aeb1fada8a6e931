# SPDX-License-Identifier: GPL-3.0-or-later
"""What a leg is brought: a backup, or the other host's document; what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seatkeeper_agent.domain.move_legs import MoveLeg, MoveState
from seatkeeper_agent.domain.moves import LicenseState, ServerBackup, of_lost_server
from seatkeeper_agent.domain.plans import digest
from seatkeeper_agent.domain.records import MoveDocument
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.moves import records, refusals
from seatkeeper_agent.operations.moves.backups import BackupService
from seatkeeper_agent.operations.moves.documents import (
    TAKES,
    Told,
    Word,
    backup_digest,
    unseal_move,
)
from seatkeeper_agent.operations.moves.legs import STARTS
from seatkeeper_agent.operations.moves.plan import MoveOrder
from seatkeeper_agent.operations.moves.records import MoveRecord, Progress
from seatkeeper_agent.operations.views import moment


class Intake:
    """Reads what was brought to this host. All failures are Problems."""

    def __init__(
        self, journal: Journal, identity: Identity, backups: BackupService, vendor: str
    ) -> None:
        self._journal = journal
        self._identity = identity
        self._backups = backups
        self._vendor = vendor

    def accept(self, order: MoveOrder, known: MoveRecord | None, dry_run: bool) -> MoveRecord:
        """The record with what the request brought: a backup, or the other host's document."""
        if order.leg is MoveLeg.PREPARE:
            return self._with_backup(order, known)
        if known is None or (dry_run and known.state not in STARTS[order.leg]):
            if not dry_run:
                raise refusals.out_of_order(order, MoveState.NONE)
            if order.document is not None:
                # A plan that runs ahead may be brought one all the same.
                self._take(order)
            return self._imagined(order, known)
        if order.leg is MoveLeg.RELEASE:
            return self._with_prepared(order, known, dry_run)
        if order.leg is MoveLeg.INSTALL:
            return known if order.declaration.source_lost else self._with_released(order, known)
        if order.leg is MoveLeg.FINISH:
            return self._with_arrived(order, known)
        return self._with_refused(order, known)

    def brought(self, order: MoveOrder, known: MoveRecord | None) -> ServerBackup:
        """The backup; of a lost source that has none what is declared of its licenses."""
        if order.backup is not None:
            return order.backup
        if not order.declaration.source_lost or order.licenses is None:
            raise refusals.needs(order, "the backup of the source")
        with self._journal.reading() as unit:
            made_at = moment(unit.now) or ""
        try:
            lost = order.declaration.source
            made = of_lost_server(self._vendor, lost, made_at, order.licenses)
        except ValueError as error:
            raise refusals.contradictory(order.declaration, str(error)) from error
        is_same = known is not None and backup_digest(known.backup) == backup_digest(made)
        return known.backup if known is not None and is_same else made

    def _imagined(self, order: MoveOrder, known: MoveRecord | None) -> MoveRecord:
        """For a plan before anything has run: as if all legs before it had."""
        backup = self.brought(order, None) if known is None else known.backup
        gone = {entry.number: Progress(released=Word.OBSERVED.value) for entry in backup.licenses}
        licenses = {} if order.leg is MoveLeg.RELEASE else gone
        side, state = order.leg.side, MoveState.NONE
        return MoveRecord(order.declaration, side, state, backup, licenses=licenses)

    def _with_backup(self, order: MoveOrder, known: MoveRecord | None) -> MoveRecord:
        backup = self.brought(order, known)
        if backup.vendor != self._vendor:
            raise refusals.needs(order, f"a backup of a server of {self._vendor}")
        if known is None:
            return MoveRecord(
                order.declaration, Side.TARGET, MoveState.NONE, backup, required=order.required
            )
        older = known.document(MoveDocument.PREPARED)
        superseded = known.superseded + (() if older is None else (digest(older),))
        return replace(
            known, backup=backup, required=order.required, superseded=superseded, licenses={}
        )

    def _with_prepared(self, order: MoveOrder, known: MoveRecord, dry_run: bool) -> MoveRecord:
        if known.state is MoveState.BACKED_UP:
            self.require_still_so(known)
            self._require_not_gone(known)
        if order.document is None and dry_run:
            return known
        told = self._take(order)
        if told.facts.get("backup") != backup_digest(known.backup):
            raise refusals.replayed(order, "another backup than the one of this move")
        return known.with_document(MoveDocument.PREPARED, self._given(order))

    def _with_released(self, order: MoveOrder, known: MoveRecord) -> MoveRecord:
        kept = known.document(MoveDocument.RELEASED)
        if known.state is MoveState.INSTALLING and kept is not None:
            return known
        told = self._take(order)
        prepared = known.document(MoveDocument.PREPARED)
        expected = {*known.superseded, *(() if prepared is None else (digest(prepared),))}
        if told.answers not in expected:
            raise refusals.replayed(order, "another document than the one this host sent")
        backup, words = told.backup(), told.words()
        numbers = {entry.number for entry in backup.licenses}
        if set(words) != numbers:
            raise refusals.replayed(order, "other licenses than those of its backup")
        strangers = sorted(set(order.codes) - set(words))
        if strangers:
            raise refusals.not_released(order.declaration, strangers)
        with self._journal.reading() as unit:
            at = unit.now
        licenses = {n: Progress(released=w, released_at=at) for n, w in words.items()}
        accepted = replace(known, backup=backup, licenses=licenses)
        return accepted.with_document(MoveDocument.RELEASED, self._given(order))

    def _with_arrived(self, order: MoveOrder, known: MoveRecord) -> MoveRecord:
        if known.document(MoveDocument.ARRIVED) is not None:
            return known
        return self._with_receipt(order, known, MoveDocument.ARRIVED)

    def _with_refused(self, order: MoveOrder, known: MoveRecord) -> MoveRecord:
        """Nothing can have arrived that was never said to have left; else the target has to say."""
        never_told = known.document(MoveDocument.RELEASED) is None
        if never_told or order.target_lost or known.document(MoveDocument.REFUSED) is not None:
            return known
        return self._with_receipt(order, known, MoveDocument.REFUSED)

    def _with_receipt(self, order: MoveOrder, known: MoveRecord, kind: MoveDocument) -> MoveRecord:
        told = self._take(order)
        released = known.document(MoveDocument.RELEASED)
        # A refusal that was said before anything came answers none and holds for any.
        early = kind is MoveDocument.REFUSED and told.answers is None
        if not early and (released is None or told.answers != digest(released)):
            raise refusals.replayed(order, "another document than the one this host sent")
        words = told.words()
        if set(words) != set(known.numbers):
            raise refusals.replayed(order, "other licenses than those that were released")
        record = known
        for number, word in words.items():
            record = record.with_progress(number, there=word)
        return record.with_document(kind, self._given(order))

    def _take(self, order: MoveOrder) -> Told:
        return unseal_move(self._identity, TAKES[order.leg], order.declaration, self._given(order))

    def _given(self, order: MoveOrder) -> dict[str, Any]:
        if order.document is None:
            raise refusals.needs(order, f"the {TAKES[order.leg].value} document of the other host")
        return order.document

    def require_still_so(self, record: MoveRecord) -> None:
        """Problem for a server that is not what was backed up."""
        made = self._backups.made(record.backup.licenses, record.backup)
        if made is not record.backup:
            raise refusals.changed_since(record.declaration)

    def _require_not_gone(self, record: MoveRecord) -> None:
        """Problem for a backup from before another move took a license from here.

        Where nothing can be seen the journal is all that tells. A backup that is made afterwards
        is somebody's word that the license is back.
        """
        server = self._backups.observed()
        with self._journal.reading() as unit:
            others = [
                other
                for other in records.page(unit, "", records.LISTED_MAX)
                if other.side is Side.SOURCE and other.id != record.id
            ]
        for number in record.numbers:
            is_seen = server.license(number).state is LicenseState.ACTIVE
            left = any(_left_since(other.progress(number), record) for other in others)
            if left and not is_seen:
                raise refusals.gone_since(record.declaration, number)


def _left_since(known: Progress, record: MoveRecord) -> bool:
    """Whether a license has left with another move after this one was backed up."""
    since = known.released_at
    return since is not None and since >= record.updated_at and not known.is_active_here
