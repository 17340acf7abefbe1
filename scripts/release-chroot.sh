#!/usr/bin/env bash
# Runs a command in a chroot of a Debian suite, which has that suite's DPDK, node and what the live tests drive:
#
#   scripts/release-chroot.sh trixie node dist/scripts/run-tests.js test/live/contract.ts
#
# DPCAP_CACHE, DPCAP_MIRROR and DPCAP_SHARED_RUN as for scripts/chroot.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly SUITE=${1:?usage: scripts/release-chroot.sh SUITE COMMAND...}
shift
readonly PACKAGES='dpdk dpdk-dev nodejs libpcap0.8 tcpdump tshark iproute2 procps ethtool iputils-ping curl python3 e2fsprogs zstd lz4 openvswitch-switch-dpdk'

export DPCAP_TEST_PROGRAMS=${DPCAP_CACHE:-$PWD/build/cache}/addon-$SUITE
exec scripts/chroot.sh "$SUITE" "$SUITE" "$PACKAGES" "$@"
