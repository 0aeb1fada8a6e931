# SPDX-License-Identifier: GPL-3.0-or-later
"""The effects of a transfer: debit, credit, confirm, credit back, expire."""

from __future__ import annotations

from seatkeeper_agent.operations.transfer_steps.confirm import Confirm
from seatkeeper_agent.operations.transfer_steps.credit import Credit, seal_receipt
from seatkeeper_agent.operations.transfer_steps.credit_back import CreditBack, Expire
from seatkeeper_agent.operations.transfer_steps.debit import Debit

__all__ = ["Confirm", "Credit", "CreditBack", "Debit", "Expire", "seal_receipt"]
