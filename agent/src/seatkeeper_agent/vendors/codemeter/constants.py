# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of the runtime's C API that the driver uses, all of grade H (version 6.70)."""

from __future__ import annotations

# CmAccess2: where to look, and what kind of access.
ACCESS_LOCAL = 0
ACCESS_NO_USER_LIMIT = 0x100

# CmGetBoxes and CmGetBoxContents2: what to list.
BOXES_ALL = 0
CONTENTS_ALL = 0
CONTENTS_FIRM_ITEMS = 1

# CmGetInfo: what to read.
INFO_BOX_TIME = 0x03
INFO_BOX_STATUS = 0x10
INFO_TRANSFER_HISTORY = 0x38
INFO_TRANSFER_OPTIONS = 0x39

BOX_STATUS_WORDS = {
    0x1: "low memory",
    0x2: "replug needed",
    0x100: "file",
    0x200: "loaded",
    0x1000: "active",
    0x2000: "programmable",
    0x4000: "invalid",
    0x8000: "broken",
    0x10000: "disabled",
    0x20000: "temporarily enabled",
    0x200000: "locked",
    0x04000000: "virtual machine detected",
    0x10000000: "blacklisted",
}

# CmLtCreateContext and CmLtDoTransfer: the direction.
LT_PUSH = 2
LT_RETURN = 3
LT_PULL = 4
LT_RENEW_BORROW = 5
LT_INIT_PULL = 0x1000

# CMLTTRANSFER.ctrl, and the type in options and history.
TYPE_COMPLETE = 1
TYPE_UNITS = 2
TYPE_LICENSES = 3
TYPE_BORROW_LOCAL = 4
TYPE_BORROW_COMPLETE = 5
TYPE_MERGE_UNITS = 6
TYPE_MERGE_LICENSES = 7

# CMLTHISTORY.status.
HISTORY_HIDDEN = 0
HISTORY_IN_PUSH_TRANSIT = 1
HISTORY_IN_RETURN_TRANSIT = 2
HISTORY_IN_PULL_TRANSIT = 3
HISTORY_ACTIVE = 4

# CMLTTRANSFEROPTIONS.flags.
OPTION_MAY_BE_PULLED = 1
OPTION_MAY_BE_RETURNED = 2
OPTION_NO_FIRM_ITEM_REQUIRED = 4

# CMBOXENTRY2: the product item options that are set, and the transfer status.
ENTRY_PRODUCT_CODE = 0x1
ENTRY_FEATURE_MAP = 0x2
ENTRY_EXPIRATION = 0x4
ENTRY_UNIT_COUNTER = 0x10
ENTRY_LICENSE_QUANTITY = 0x1000
ENTRY_HISTORY = 0x200000
ENTRY_TRANSFER_OPTIONS = 0x800000
QUANTITY_LOCAL_ACCESS_ONLY = 0x400
STATUS_ENABLED = 1
STATUS_DISABLED = 2
STATUS_DELETED = 3
STATUS_EXPIRED = 4
"""3 is *returned* since 6.30, and 4 is new there; either is no longer usable here."""

# Masks of serial numbers.
MASKS_DONGLE = frozenset({1, 2, 3})
MASKS_CMACT_OLD_FIRM_CODES = frozenset({127, 128})
MASK_CMACT_UNIVERSAL = 130
MASK_REDUNDANT = 131
MASK_CLOUD = 140

# Error numbers that the driver treats differently from a plain refusal.
ERROR_NETWORK_FAULT = 100
ERROR_SERVER_NOT_FOUND = 101
ERROR_NO_LOCAL_SERVER = 110
ERROR_NO_NETWORK_SERVER = 111
ERROR_ENTRY_NOT_FOUND = 200
ERROR_COMMAND_PENDING = 235
ERROR_SERVER_START_PENDING = 238
ERRORS_NOT_RUNNING = frozenset(
    {ERROR_SERVER_NOT_FOUND, ERROR_NO_LOCAL_SERVER, ERROR_NO_NETWORK_SERVER}
)

ERROR_TEXT_UTF8 = 0x0100
"""Flag of CmGetLastErrorText2."""
