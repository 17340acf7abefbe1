#!/usr/bin/env bash
# Runs all live tests with the DPDK of this system and with that of each other Debian suite, and writes docs/releases.md
# from what they found. This takes about half an hour for each. With --peers it is what dpcap, dpdk-dumpcap and dpdk-pdump do
# in the same cases, and docs/peers.md, in five minutes for each.
#
#   scripts/test-releases.sh [--peers] [SUITE...]     (default: trixie sid)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kind=tests
here=(node dist/scripts/run-tests.js --live --results)
if [ "${1-}" = --peers ]; then
  kind=peers
  here=(node dist/scripts/release-peers.js)
  shift
fi
suites=("$@")
[ "${#suites[@]}" -gt 0 ] || suites=(trixie sid)
failed=0

npm run --silent build || exit
rm -rf "build/releases/$kind" # the table tells of this run alone
"${here[@]}" "build/releases/$kind/host.json" || failed=1
for suite in "${suites[@]}"; do
  scripts/build-addon.sh "$suite" && scripts/release-chroot.sh "$suite" "${here[@]}" "build/releases/$kind/$suite.json" || failed=1
done
node dist/scripts/release-table.js || failed=1
exit "$failed"
