#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: license_server
short_description: Declare settings and dongle service of a license server
version_added: 0.2.0
description:
  - Declares how the license server of a host is set up, which is its settings, whether it serves
    dongles, and the version that it has to have at least.
  - What is not named stays as it is. Every change is verified by what the server shows afterwards,
    never by what a command printed.
author:
  - Seatkeeper maintainers (@seatkeeper)
extends_documentation_fragment:
  - seatkeeper.licensing.agent
  - seatkeeper.licensing.attributes
  - seatkeeper.licensing.attributes.actiongroup_licensing
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the settings that change, by their sections.
  idempotent:
    support: full
options:
  vendor:
    description:
      - Whose license server it is. V(chaos) is the Chaos License Server, V(codemeter) the
        CodeMeter License Server.
    type: str
    choices: [chaos, codemeter]
    required: true
  state:
    description:
      - Whether the service of the server is started. Left out, it stays as it is.
      - No document names the unit of the Chaos server, so that takes C(chaos.start_command) and
        C(chaos.stop_command) in the settings of the agent.
    type: str
    choices: [started, stopped]
  settings:
    description:
      - The settings as sections of keys, spelled as the product spells them. Values are texts or
        numbers; put words such as V(on) in quotes, which YAML reads as something else otherwise.
      - For V(chaos) that is its configuration tree, such as C(proxy.host), C(diagnostics.level),
        C(local.vrlPort) and C(local.vrolPort). It takes effect without a restart.
      - For V(codemeter) these are the sections of its C(Server.ini). The server is stopped for the
        change and started again.
      - A key that the product does not show and its vendor does not document is refused.
      - The values are shown in the results. Do not put passwords here.
    type: dict
    default: {}
  dongle_service:
    description:
      - Whether the server serves the dongles of its host. For V(chaos) only.
      - Once a dongle was migrated, the vendor switches the service off. It then stays off until
        another dongle is plugged in, whatever is declared here; RV(notes) tells.
    type: str
    choices: [enabled, disabled]
  version_min:
    description:
      - The version that the server has to have at least, such as V(4.5.0). The task fails if it is
        older; nothing is installed. For V(chaos) only.
    type: str
seealso:
  - module: seatkeeper.licensing.license_info
  - module: seatkeeper.licensing.license_client
  - module: seatkeeper.licensing.online_activation
  - module: seatkeeper.licensing.offline_activation
"""

EXAMPLES = r"""
- name: Have the Chaos server of the render farm reach its vendor through the proxy
  seatkeeper.licensing.license_server:
    vendor: chaos
    version_min: "4.5.0"
    settings:
      proxy:
        host: 10.0.0.1
      diagnostics:
        level: info
  delegate_to: render-server
  register: render_server

- name: Serve the dongles of that host
  seatkeeper.licensing.license_server:
    vendor: chaos
    dongle_service: enabled
  delegate_to: render-server

- name: Start the server if it does not run
  seatkeeper.licensing.license_server:
    vendor: chaos
    state: started
  delegate_to: render-server

- name: Stop serving them
  seatkeeper.licensing.license_server:
    vendor: chaos
    dongle_service: disabled
  delegate_to: render-server

- name: Let CodeMeter serve its licenses to the network
  seatkeeper.licensing.license_server:
    vendor: codemeter
    settings:
      General:
        IsNetworkServer: 1
  delegate_to: old-server

- name: Keep CodeMeter's licenses to its own host again
  seatkeeper.licensing.license_server:
    vendor: codemeter
    settings:
      General:
        IsNetworkServer: 0
  delegate_to: old-server
"""

RETURN = r"""
server:
  description: The license server as it is afterwards; in check mode as it is now.
  returned: success
  type: dict
  contains:
    vendor:
      description: Whose license server it is.
      type: str
      returned: always
      sample: chaos
    running:
      description: Whether it runs.
      type: bool
      returned: always
      sample: true
    settings:
      description: All its settings, by their sections.
      type: dict
      returned: always
      sample: {diagnostics: {level: info}, proxy: {host: 10.0.0.1}}
    version:
      description: Its version; null if it does not tell.
      type: str
      returned: for V(chaos)
      sample: 6.0.1
    dongle_service:
      description: Whether it serves dongles; null if it does not tell.
      type: bool
      returned: for V(chaos)
      sample: false
    activation:
      description:
        - Whether online licensing is C(activated), by which C(method) (V(online) or V(offline))
          and for which C(account), as far as the agent knows.
      type: dict
      returned: for V(chaos)
      sample: {account: admin@studio-a.example, activated: true, method: online}
    licenses:
      description:
        - What the account holds, one entry for each C(product) with its C(seats) by their kinds,
          C(interface), C(render) and C(network).
      type: list
      elements: dict
      returned: for V(chaos)
      sample: [{product: V-Ray, seats: {interface: 5, render: 10}}]
    offline_products:
      description: Products of which seats are borrowed for use without internet.
      type: list
      elements: str
      returned: for V(chaos)
before:
  description: The settings that change, with their values before.
  returned: success
  type: dict
  sample: {proxy: {host: null}}
after:
  description: The settings that change, with their values afterwards.
  returned: success
  type: dict
  sample: {proxy: {host: 10.0.0.1}}
plan:
  description: What is done for it, in the member C(steps).
  returned: success
  type: dict
notes:
  description:
    - What is declared and yet was left as it is, with the reason, and what is probably meant
      otherwise, such as a section that the product is not known to have. The notes are shown as
      warnings.
  returned: success
  type: list
  elements: str
operation:
  description: The piece of work that did it, with its C(id) and C(state); null if there was none.
  returned: success
  type: dict
problem:
  description: Why the task failed, as a problem of RFC 9457.
  returned: failure
  type: dict
  sample:
    type: urn:seatkeeper:problem:version-too-old
    code: version-too-old
    title: Version too old
    status: 409
    detail: The license server has version 4.0.0, declared is at least 4.5.0.
    next_action: Update the server with the vendor's installer.
    retryable: false
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.seatkeeper.licensing.plugins.module_utils._arguments import (
    AGENT_ARGUMENTS,
    ArgumentSpec,
)
from ansible_collections.seatkeeper.licensing.plugins.module_utils._module import refuse_on_host

ARGUMENTS = ArgumentSpec(
    options={
        "vendor": {"type": "str", "choices": ["chaos", "codemeter"], "required": True},
        "state": {"type": "str", "choices": ["started", "stopped"]},
        "settings": {"type": "dict", "default": {}},
        "dongle_service": {"type": "str", "choices": ["enabled", "disabled"]},
        "version_min": {"type": "str"},
    }
).merge(AGENT_ARGUMENTS)


def main() -> None:
    refuse_on_host(AnsibleModule(supports_check_mode=True, **ARGUMENTS.to_kwargs()))


if __name__ == "__main__":
    main()
