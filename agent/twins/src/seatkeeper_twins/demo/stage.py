# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stages with Chaos servers share: the lab, its two studios, and runs of playbooks."""

from __future__ import annotations

from seatkeeper_twins.chaos.twin import demo_seed
from seatkeeper_twins.demo import studio
from seatkeeper_twins.demo.playbook import Playbook, PlaybookRun
from seatkeeper_twins.demo.screen import DemoError, Screen
from seatkeeper_twins.lab.lab import Lab

INVENTORY = "playbooks/inventories/chaos"
ACTIVATE, MIGRATE = "playbooks/activate_licenses.yml", "playbooks/migrate_dongles.yml"
EVERYTHING = "playbooks/site.yml"
ONLINE, OFFLINE = "render-server", "island-server"
STUDIO, OTHER_STUDIO = "Studio A", "Studio B"
ADMIN, ARTIST = "admin@studio-a.example", "artist@studio-a.example"


class Stage:
    """A lab of two servers, what the account of the first studio held, and the screen."""

    def __init__(self, lab: Lab, screen: Screen) -> None:
        self.lab = lab
        self.screen = screen
        self.before = studio.account(lab, STUDIO)
        self.password: str = demo_seed()["companies"][STUDIO]["users"][ADMIN]
        self._playbook = Playbook(
            lab, screen, INVENTORY, {"SEATKEEPER_DEMO_PASSWORD": self.password}
        )

    def run(self, *arguments: str) -> PlaybookRun:
        """A playbook that ends well; DemoError when it does not."""
        return self._playbook.run_well(*arguments)

    def refused(self, *arguments: str) -> PlaybookRun:
        """A playbook that is refused on the first server, and changes nothing; else DemoError."""
        run = self._playbook.run(*arguments)
        if not run.exit_code or run.recap[ONLINE]["failed"] != 1 or run.counted("changed"):
            raise DemoError("The playbook was not refused; see above.")
        return run
