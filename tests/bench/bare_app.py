# SPDX-License-Identifier: GPL-3.0-or-later
"""The bare side: one FastAPI route on uvicorn, on the unix socket that is named."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.get("/livez")
async def livez() -> dict[str, str]:
    """Answer as the agent's own route does."""
    return {"status": "ok"}


if __name__ == "__main__":
    uvicorn.run(app, uds=sys.argv[1], log_level="warning")
