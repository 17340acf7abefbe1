#!/usr/bin/env bash
# Builds the addon that captures from primaries with the DPDK of a Debian suite, and the agent for applications with it,
# beside those that are there:
#
#   scripts/build-addon.sh trixie
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly SUITE=${1:?usage: scripts/build-addon.sh SUITE}

sysroot=$(scripts/sysroot.sh "$SUITE")
out=${DPCAP_CACHE:-build/cache}/addon-$SUITE
npx --no-install cmake-js compile --log-level error --out "$out" --target dpcap_pdump --CDDPDK_SYSROOT="$sysroot" >&2
cmake --build "$out" --target dpcap_agent dpdk-secondary dpdk-malloc-primary dpdk-forwarder stepped-clock flow-recorder vhost-stand-in seccomp-exec bpf-objects >&2
mkdir -p build/Release
cp "$out"/Release/dpcap_pdump.dpdk*.node "$out"/Release/libdpcap_agent.dpdk*.so build/Release/
ls "$out"/Release/dpcap_pdump.dpdk*.node "$out"/Release/libdpcap_agent.dpdk*.so | sed 's#.*/#build/Release/#'
