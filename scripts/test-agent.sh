#!/usr/bin/env bash
# Runs live tests of captures with the agent in each testpmd, so that the captures go through it: the tests of one backend are
# those of the other.
#
#   scripts/test-agent.sh [--essential | TEST...]     (default: all that have a meaning there)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Files byte for byte and exact counts, tags, filters, several outputs.
readonly ESSENTIAL='capture-exact vlan-stripped filter-words pdump'
# The others are about what pdump needs of a primary: memory, other secondaries, recovery.
readonly OTHERS='output-names forward2kni capture-stream filter-live timestamps signals faults-sink forward2kni-faults pdump-interface'

words=("$@")
names=
[ "${#words[@]}" -gt 0 ] || names="$ESSENTIAL $OTHERS"
[ "${words[0]-}" != --essential ] || names=$ESSENTIAL
if [ -n "$names" ]; then
  words=()
  for name in $names; do words+=("test/live/$name.ts"); done
fi
DPCAP_TEST_AGENT=1 exec node dist/scripts/run-tests.js --live "${words[@]}"
