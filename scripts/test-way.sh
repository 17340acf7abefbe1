#!/usr/bin/env bash
# Runs live tests of captures by another way in than pdump: through the agent, which each testpmd has then, or by probes. The
# tests of one way are those of the others.
#
#   scripts/test-way.sh agent | ebpf [--essential | TEST...]     (default: all but those that have no meaning there)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly WAY=${1:?usage: scripts/test-way.sh agent | ebpf [--essential | TEST...]}
shift
case $WAY in
  agent) export DPCAP_TEST_AGENT=1 ;;
  ebpf) export DPCAP_TEST_EBPF=1 ;;
  *) echo "test-way: agent or ebpf, not $WAY" >&2 && exit 2 ;;
esac

# Files byte for byte and exact counts, tags, filters, several outputs.
readonly ESSENTIAL='capture-exact vlan-stripped filter-words pdump'
# Patterns of names. These have the agent, or choose the way in, by themselves:
readonly OWN='agent* mirror* recorder virtio-user port-rules two-captures gaps contract ebpf* rotation-at-rate'
# are about what pdump needs of a primary (memory, other secondaries, recovery):
readonly OF_PDUMP='allocator cycles faults-process faults-input filter-here forwarding frozen-thread hotplug late-answer
  mempool-growth mismatch odd-packets orphans other-limits other-plugins pid-namespaces placement primary-restart static-primary
  unharmed*'
# about finding primaries, containers, other releases and users:
readonly OF_OTHERS='config containers discover dpvs elsewhere other-user release-*'
# about replays, whose ports are restarted: probes are put in again within 100 ms, when all has been played:
readonly OF_REPLAY='capture-exact filter-live filter-words'
# or about no capture of a testpmd's.
readonly OF_NONE='bench demo harness library rotation tunnels tunnel-faults without-dpdk'

is_left_out() {
  local name=$1 pattern
  for pattern in "${left_out[@]}"; do
    # shellcheck disable=SC2053 # It is a pattern.
    [[ $name == $pattern ]] && return 0
  done
  return 1
}

words=("$@")
if [ "${words[0]-}" = --essential ]; then
  words=()
  for name in $ESSENTIAL; do words+=("test/live/$name.ts"); done
elif [ "${#words[@]}" -eq 0 ]; then
  set -f # The patterns are no files.
  read -ra left_out <<<"$OWN ${OF_PDUMP//$'\n'/ } $OF_OTHERS $OF_NONE"
  [ "$WAY" = agent ] || left_out+=($OF_REPLAY)
  set +f
  for file in test/live/*.ts; do
    name=$(basename "$file" .ts)
    is_left_out "$name" || words+=("$file")
  done
fi
exec node dist/scripts/run-tests.js --live "${words[@]}"
