#!/usr/bin/env bash
# Runs all live tests with the DPDK of this system and with that of each other Debian suite, and writes docs/releases.md
# from what they found. This takes about half an hour for each.
#
#   scripts/test-releases.sh [SUITE...]     (default: trixie sid)
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

suites=("$@")
[ "${#suites[@]}" -gt 0 ] || suites=(trixie sid)
failed=0

npm run --silent build || exit
rm -rf build/releases # the table tells of this run alone
node dist/scripts/run-tests.js --live --results build/releases/host.json || failed=1
for suite in "${suites[@]}"; do
  scripts/release-test.sh "$suite" --live --results "build/releases/$suite.json" || failed=1
done
node dist/scripts/release-table.js || failed=1
exit "$failed"
