#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Checks the OpenAPI description that the agent prints about itself.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p .cache/lint
.venv/bin/seatkeeper-agent openapi >.cache/lint/openapi.json
.venv/bin/openapi-spec-validator .cache/lint/openapi.json
