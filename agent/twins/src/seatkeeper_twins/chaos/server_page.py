# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's page: the documented steps with their visible labels, grade D and T in chaos.md.

All its traffic goes to /_twin/page/, because the real page's routes are not documented.
"""

from __future__ import annotations

from seatkeeper_twins.chaos import page
from seatkeeper_twins.chaos.borrow_page import BORROW_PATH, borrow_list, borrow_views, seat_words
from seatkeeper_twins.chaos.frame import dongle_menu, shown
from seatkeeper_twins.chaos.page import button, escaped, section
from seatkeeper_twins.chaos.page_actions import action_routes
from seatkeeper_twins.chaos.server import Server
from seatkeeper_twins.parts.web import Answer, Handler, Request


def page_routes(server: Server) -> dict[tuple[str, str], Handler]:
    """The page and what its forms send."""
    views = _Views(server)
    viewed = {
        "/": views.main, "/_twin/page/enable": views.enable, "/_twin/page/offline": views.offline,
        "/_twin/page/transfer": views.transfer, **borrow_views(server),
    }  # fmt: skip

    def locked(view: Handler) -> Handler:
        def handler(request: Request) -> Answer:
            with server.passing("page"):
                return view(request)

        return handler

    return {
        **{("GET", path): locked(view) for path, view in viewed.items()},
        ("GET", "/_twin/page/user"): views.user,
        **action_routes(server),
    }


class _Views:
    """What is shown; called with the server's lock held and its state settled."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def main(self, request: Request) -> Answer:
        """Where everything begins and ends."""
        busy = self._server.transferring() or self._dongle_awaited()
        return shown(
            self._server,
            page.problem(request.query.get("problem", "")),
            self._transfer_notice(),
            self._online(),
            borrow_list(self._server) if self._server.state["borrows"] else "",
            self._dongles(),
            f'<p class="quiet">Version {escaped(self._server.state["version"])}</p>',
            refresh_seconds=1 if busy else None,
        )

    def _dongle_awaited(self) -> bool:
        enabled = self._server.state["dongle_enabled_at"] is not None
        return enabled and not self._server.visible()

    def _online(self) -> str:
        state = self._server.state
        if state["activation_method"] is None:
            return section(
                "Licenses",
                "<p>Online licensing is not active.</p>",
                button("ENABLE", "/_twin/page/enable", get=True),
            )
        by_file = state["activation_method"] == "offline"
        user = state["user"] if state["logged_in"] else "nobody is logged in"
        active = "Activated by a file." if by_file else f"Activated online, {user}."
        held = [] if self._server.transferring() else state["licenses"]
        rows = [[escaped(each["product"]), escaped(seat_words(each["seats"]))] for each in held]
        return section(
            "Licenses",
            f"<p>{escaped(active)}</p>",
            page.table(["Product", "Seats"], rows) if rows else "<p>No license is available.</p>",
            "" if by_file else button("Use licenses offline", BORROW_PATH, get=True, plain=True),
            button("DISABLE", "/_twin/page/disable", plain=True),
        )  # fmt: skip

    def _dongles(self) -> str:
        state, visible = self._server.state, self._server.visible()
        if state["dongle_enabled_at"] is None:
            reported = "The dongle service is disabled."
        elif visible:
            reported = "The dongle service is enabled."
        else:
            reported = "The dongle service is enabled; no dongle is visible."
        rows = [
            [escaped(each.serial or "no serial number"), escaped(each.path)] for each in visible
        ]
        return section(
            "Dongles",
            f"<p>{reported}</p>",
            page.table(["Serial number", "Port"], rows) if rows else "",
            dongle_menu(self._server),
        )

    def _transfer_notice(self) -> str:
        transfer = self._server.state["transfer"]
        if transfer is None:
            return ""
        target = escaped(transfer["target"])
        if transfer["state"] == "running":
            return section(
                "Transferring licenses",
                f"<p>The licenses of the dongle are being transferred to {target}. This takes some"
                " minutes. Do not unplug the dongle and do not plug in another one.</p>",
                "<progress></progress>",
            )
        done = transfer["state"] == "done"
        reported = (
            f'<p class="good">The licenses were transferred to {target}.</p><p>Unplug the dongle:'
            " it holds no license any more. It may take some minutes until the licenses appear in"
            " the account.</p>"
            if done
            else '<p class="bad">The transfer was interrupted.</p>'
        )
        return section("Transfer of licenses", reported, button("CLOSE", "/_twin/page/close"))

    def enable(self, _request: Request) -> Answer:
        """Log in, or go the way of files."""
        return shown(
            self._server,
            section(
                "Enable online licensing",
                page.form(
                    "/_twin/page/enable", "LOG IN",
                    page.field("User name", "user"), page.field("Password", "password", "password"),
                ),
                "<p class=quiet>A machine without the internet is activated by files.</p>",
                button("Activate offline", "/_twin/page/offline", get=True, plain=True),
            )
        )  # fmt: skip

    def offline(self, _request: Request) -> Answer:
        """The request to download, the answer to upload."""
        return shown(
            self._server,
            section(
                "Offline activation",
                '<p>1. <a href="/csr" download="cert.csr">Download the request</a> and activate a'
                " workstation with it on the account page.</p>"
                "<p>2. Upload the answer file.</p>",
                page.form(
                    "/_twin/page/upload", "UPLOAD", page.field("Answer file", "file", "file"),
                    files=True,
                ),
            )
        )  # fmt: skip

    def transfer(self, _request: Request) -> Answer:
        """Whom to, and what it means."""
        if not self._server.can_transfer():
            return Answer.see("/")
        return shown(
            self._server,
            section(
                "Transfer the dongle's licenses",
                '<form class="block" method="post" action="/_twin/page/transfer">'
                '<label class="field"><span>User name</span>'
                '<input id="target" name="user" required autocomplete="off"></label>'
                '<p>Valid user: <output id="tick" for="target"></output></p>'
                "<ul><li>The transfer cannot be undone.</li>"
                "<li>The dongle cannot be used any more afterwards.</li>"
                "<li>No license is available while it runs, which takes some minutes.</li>"
                "<li>Do not unplug the dongle and do not plug in another one meanwhile.</li></ul>"
                '<p><button id="go" disabled>TRANSFER &gt;&gt;</button></p></form>',
                button("CANCEL", "/", get=True, plain=True),
            ),
        )

    def user(self, request: Request) -> Answer:
        """The tick."""
        valid = self._server.is_target(request.query.get("name", "").strip())
        return Answer.of_json({"valid": valid})
