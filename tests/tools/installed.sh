#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Uses the collection where the artifact was installed into an empty path: every playbook is found by
# its name with all that it names, a module answers, a role runs where nothing is declared, and the play.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin="$PWD/.venv/bin"
export ANSIBLE_COLLECTIONS_PATH="$PWD/.cache/lint/installed"
export ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false
installed="$ANSIBLE_COLLECTIONS_PATH/ansible_collections/seatkeeper/licensing"
cd "$ANSIBLE_COLLECTIONS_PATH" # away from the checkout's own ansible.cfg

for playbook in "$installed"/playbooks/*.yml; do
    name="seatkeeper.licensing.$(basename "$playbook" .yml)"
    "$bin/ansible-playbook" --inventory localhost, --syntax-check "$name"
done

# There is no agent here, and that is what the module has to say.
"$bin/ansible" localhost -m seatkeeper.licensing.license_info \
    -a agent_url=unix:///nonexistent/agent.sock 2>&1 | tee module.log || true
grep '"code": "agent-missing"' module.log >/dev/null

cat >roles.yml <<'PLAY'
- name: Run a role that has nothing to do
  hosts: localhost
  gather_facts: false
  roles:
    - role: seatkeeper.licensing.license_server
PLAY
"$bin/ansible-playbook" --inventory localhost, --connection local \
    --extra-vars "ansible_python_interpreter=$bin/python" roles.yml

# The whole play says of a host without an agent that nobody looked at it.
printf '[license_servers]\nlocalhost ansible_connection=local\n' >hosts.ini
"$bin/ansible-playbook" --inventory hosts.ini \
    --extra-vars seatkeeper_agent_url=unix:///nonexistent/agent.sock \
    seatkeeper.licensing.site 2>&1 | tee play.log || true
grep -E '^localhost +host .*not looked at' play.log >/dev/null
