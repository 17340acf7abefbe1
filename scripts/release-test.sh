#!/usr/bin/env bash
# Runs live tests with the DPDK of a Debian suite: builds the addon for it, and tests in a chroot of the suite.
#
#   scripts/release-test.sh trixie --essential | TEST...     (default: all live tests)
#
# Both are made when they are not there, and kept in build/cache (DPCAP_CACHE). Ends with 77 when the suite cannot be had,
# and says why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly SUITE=${1:?usage: scripts/release-test.sh SUITE [--essential | TEST...]}
shift
# Attaching, exact counts, bytes, starts and stops at load, timestamps, kills and recovery, several captures, other
# secondaries.
readonly ESSENTIAL='contract capture-exact cycles timestamps two-captures faults-process forwarding unharmed-secondaries'

words=("$@")
[ "${#words[@]}" -gt 0 ] || words=(--live)
if [ "${words[0]}" = --essential ]; then
  words=()
  export DPCAP_SHORT=1
  for name in $ESSENTIAL; do words+=("test/live/$name.ts"); done
fi

said=$(scripts/sysroot.sh "$SUITE" 2>&1) || {
  tail -n 3 <<<"$said" >&2
  echo "release-test: cannot get the DPDK of $SUITE: is its mirror out of reach?" >&2
  exit 77
}
scripts/release-chroot.sh "$SUITE" true & # downloads and unpacks while the other CPU compiles
readonly made=$!
scripts/build-addon.sh "$SUITE" || {
  status=$?
  wait "$made" || true
  exit "$status"
}
wait "$made"
exec scripts/release-chroot.sh "$SUITE" node dist/scripts/run-tests.js "${words[@]}"
