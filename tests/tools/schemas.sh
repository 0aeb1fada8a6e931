#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Checks the agent's JSON Schemas against the metaschema that each names.
set -euo pipefail
cd "$(dirname "$0")/../.."
mapfile -t schemas < <(find agent/src/seatkeeper_agent/{api/schemas,operations/payloads} -name '*.json' | sort)
[[ ${#schemas[@]} -gt 0 ]] || { echo "schemas: none found"; exit 1; }
.venv/bin/check-jsonschema --check-metaschema "${schemas[@]}"
