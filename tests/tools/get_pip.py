# SPDX-License-Identifier: GPL-3.0-or-later
"""Put pip into the running environment, from its wheel beside this script.

`ansible-test` looks for a script of this kind in its cache before it fetches one, runs it in each
environment that it makes, and passes what `get-pip.py` is passed: options, and `pip==VERSION`.
"""

from __future__ import annotations

import sys
import sysconfig
import zipfile
from pathlib import Path


def main() -> None:
    """Unpack the wheel: a second or two less than having one pip install another."""
    (version,) = (word.removeprefix("pip==") for word in sys.argv[1:] if word.startswith("pip=="))
    wheel = Path(__file__).with_name(f"pip-{version}-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(sysconfig.get_path("purelib"))


if __name__ == "__main__":
    main()
