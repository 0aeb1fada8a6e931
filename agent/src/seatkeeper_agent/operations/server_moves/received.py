# SPDX-License-Identifier: GPL-3.0-or-later
"""What a leg is brought: a backup, or the other host's document; what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seatkeeper_agent.domain.planned_steps import digest
from seatkeeper_agent.domain.records import MoveDocument
from seatkeeper_agent.domain.server_move_legs import MoveLeg, MoveState
from seatkeeper_agent.domain.server_moves import LicenseState, ServerBackup, of_lost_server
from seatkeeper_agent.domain.transfers import Side
from seatkeeper_agent.identity import Identity
from seatkeeper_agent.journal import Journal
from seatkeeper_agent.operations.server_moves import records, refusals
from seatkeeper_agent.operations.server_moves.backups import BackupService
from seatkeeper_agent.operations.server_moves.documents import (
    TAKES,
    Basis,
    DocumentContents,
    backup_digest,
    unseal_move,
)
from seatkeeper_agent.operations.server_moves.leg_steps import MoveRequest
from seatkeeper_agent.operations.server_moves.legs import STARTS
from seatkeeper_agent.operations.server_moves.records import MoveRecord, Progress
from seatkeeper_agent.operations.views import moment


class ReceivedDocuments:
    """Reads what was brought to this host. All failures are Problems."""

    def __init__(
        self, journal: Journal, identity: Identity, backups: BackupService, vendor: str
    ) -> None:
        self._journal = journal
        self._identity = identity
        self._backups = backups
        self._vendor = vendor

    def accept(self, request: MoveRequest, known: MoveRecord | None, dry_run: bool) -> MoveRecord:
        """The record with what the request brought: a backup, or the other host's document."""
        if request.leg is MoveLeg.PREPARE:
            return self._with_backup(request, known)
        if known is None or (dry_run and is_ahead(request, known)):
            if not dry_run:
                raise refusals.out_of_order(request, MoveState.NONE)
            if request.document is not None:
                # A plan that runs ahead may be brought one all the same.
                self._take(request)
            return self._imagined(request, known)
        if request.leg is MoveLeg.RELEASE:
            return self._with_prepared(request, known, dry_run)
        if request.leg is MoveLeg.INSTALL:
            return known if request.declaration.source_lost else self._with_released(request, known)
        if request.leg is MoveLeg.FINISH:
            return self._with_arrived(request, known)
        return self._with_refused(request, known)

    def brought(self, request: MoveRequest, known: MoveRecord | None) -> ServerBackup:
        """The backup; of a lost source that has none what is declared of its licenses."""
        if request.backup is not None:
            return request.backup
        if not request.declaration.source_lost or request.licenses is None:
            raise refusals.needs(request, "the backup of the source")
        with self._journal.reading() as unit:
            made_at = moment(unit.now) or ""
        try:
            lost = request.declaration.source
            made = of_lost_server(self._vendor, lost, made_at, request.licenses)
        except ValueError as error:
            raise refusals.contradictory(request.declaration, str(error)) from error
        is_same = known is not None and backup_digest(known.backup) == backup_digest(made)
        return known.backup if known is not None and is_same else made

    def _imagined(self, request: MoveRequest, known: MoveRecord | None) -> MoveRecord:
        """For a plan before anything has run: as if all legs before it had."""
        if known is None and request.backup is None and request.licenses is None:
            raise refusals.out_of_order(request, MoveState.NONE)
        if known is None or request.backup is not None:
            backup = self.brought(request, None)
        else:
            backup = known.backup
        gone = {entry.number: Progress(released=Basis.OBSERVED.value) for entry in backup.licenses}
        licenses = {} if request.leg is MoveLeg.RELEASE else gone
        side, state = request.leg.side, MoveState.NONE
        return MoveRecord(request.declaration, side, state, backup, licenses=licenses)

    def _with_backup(self, request: MoveRequest, known: MoveRecord | None) -> MoveRecord:
        backup = self.brought(request, known)
        if backup.vendor != self._vendor:
            raise refusals.needs(request, f"a backup of a server of {self._vendor}")
        if known is None:
            return MoveRecord(
                request.declaration, Side.TARGET, MoveState.NONE, backup, required=request.required
            )
        older = known.document(MoveDocument.PREPARED)
        superseded = known.superseded + (() if older is None else (digest(older),))
        return replace(
            known, backup=backup, required=request.required, superseded=superseded, licenses={}
        )

    def _with_prepared(self, request: MoveRequest, known: MoveRecord, dry_run: bool) -> MoveRecord:
        if known.state is MoveState.BACKED_UP:
            self.require_still_so(known)
            self._require_not_gone(known)
        if request.document is None and dry_run:
            return known
        contents = self._take(request)
        if contents.facts.get("backup") != backup_digest(known.backup):
            raise refusals.replayed(request, "another backup than the one of this move")
        return known.with_document(MoveDocument.PREPARED, self._given(request))

    def _with_released(self, request: MoveRequest, known: MoveRecord) -> MoveRecord:
        kept = known.document(MoveDocument.RELEASED)
        if known.state is MoveState.INSTALLING and kept is not None:
            return known
        contents = self._take(request)
        prepared = known.document(MoveDocument.PREPARED)
        expected = {*known.superseded, *(() if prepared is None else (digest(prepared),))}
        if contents.answers not in expected:
            raise refusals.replayed(request, "another document than the one this host sent")
        backup, bases = contents.backup(), contents.bases()
        numbers = {entry.number for entry in backup.licenses}
        if set(bases) != numbers:
            raise refusals.replayed(request, "other licenses than those of its backup")
        strangers = sorted(set(request.codes) - set(bases))
        if strangers:
            raise refusals.not_released(request.declaration, strangers)
        with self._journal.reading() as unit:
            at = unit.now
        licenses = {n: Progress(released=w, released_at=at) for n, w in bases.items()}
        accepted = replace(known, backup=backup, licenses=licenses)
        return accepted.with_document(MoveDocument.RELEASED, self._given(request))

    def _with_arrived(self, request: MoveRequest, known: MoveRecord) -> MoveRecord:
        if known.document(MoveDocument.ARRIVED) is not None:
            return known
        return self._with_receipt(request, known, MoveDocument.ARRIVED)

    def _with_refused(self, request: MoveRequest, known: MoveRecord) -> MoveRecord:
        """Nothing can have arrived that was never said to have left; else the target has to say."""
        never_reported = known.document(MoveDocument.RELEASED) is None
        if (
            never_reported
            or request.target_lost
            or known.document(MoveDocument.REFUSED) is not None
        ):
            return known
        return self._with_receipt(request, known, MoveDocument.REFUSED)

    def _with_receipt(
        self, request: MoveRequest, known: MoveRecord, kind: MoveDocument
    ) -> MoveRecord:
        contents = self._take(request)
        released = known.document(MoveDocument.RELEASED)
        # A refusal that was said before anything came answers none and holds for any.
        early = kind is MoveDocument.REFUSED and contents.answers is None
        if not early and (released is None or contents.answers != digest(released)):
            raise refusals.replayed(request, "another document than the one this host sent")
        bases = contents.bases()
        if set(bases) != set(known.numbers):
            raise refusals.replayed(request, "other licenses than those that were released")
        record = known
        for number, basis in bases.items():
            record = record.with_progress(number, there=basis)
        return record.with_document(kind, self._given(request))

    def _take(self, request: MoveRequest) -> DocumentContents:
        return unseal_move(
            self._identity, TAKES[request.leg], request.declaration, self._given(request)
        )

    def _given(self, request: MoveRequest) -> dict[str, Any]:
        if request.document is None:
            raise refusals.needs(
                request, f"the {TAKES[request.leg].value} document of the other host"
            )
        return request.document

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


def is_ahead(request: MoveRequest, known: MoveRecord) -> bool:
    """Whether a plan goes by what will have been done by then."""
    if known.state not in STARTS[request.leg]:
        return True
    if request.leg is not MoveLeg.RELEASE:
        return request.is_foreseen
    # The server has changed, and the plan before this one backs it up anew.
    made = request.backup
    return made is not None and backup_digest(made) != backup_digest(known.backup)


def _left_since(known: Progress, record: MoveRecord) -> bool:
    """Whether a license has left with another move after this one was backed up."""
    since = known.released_at
    return since is not None and since >= record.updated_at and not known.is_active_here
