#!/usr/bin/env bash
# Cross-builds addons and agents for arm64: the addon without DPDK, and those for the DPDK of Debian 12, whose C library all
# of them need, and of the given suites. Puts them, stripped, into a folder of this checkout:
#
#   scripts/build-arm64.sh prebuilds/linux-arm64 trixie sid
#
# Ends with 77, and says why, where the compiler or a suite's packages cannot be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly TO=${1:?usage: scripts/build-arm64.sh FOLDER [SUITE...]}
shift
readonly CACHE=${DPCAP_CACHE:-$PWD/build/cache}

# Builds targets in a folder of the cache, with a suite's DPDK where one is given. CMAKE_JS_INC is what cmake-js passes.
build() {
  local folder=$1 targets=$2 sysroot=$3
  scripts/arm64-chroot.sh bash -euc '
    cmake -S . -B "$0" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_TOOLCHAIN_FILE="$PWD/scripts/toolchain-arm64.cmake" \
      -DCMAKE_SYSROOT="$QEMU_LD_PREFIX" -DDPDK_SYSROOT="$2" -DCMAKE_JS_INC="$PWD/node_modules/node-api-headers/include"
    cmake --build "$0" --target $1
    for built in "$0"/*.node "$0"/Release/libdpcap_agent.*.so; do
      aarch64-linux-gnu-strip --strip-unneeded -o "$3/${built##*/}" "$built"
    done
  ' "$folder" "$targets" "$sysroot" "$TO" >&2
}

mkdir -p "$TO"
build "$CACHE/addon-arm64-bookworm" 'dpcap_host dpcap_pdump dpcap_agent' ''
for suite in "$@"; do
  said=$(DPCAP_ARCH=arm64 scripts/sysroot.sh "$suite" 2>&1) || {
    tail -n 3 <<<"$said" >&2
    echo "build-arm64: cannot get the DPDK of $suite for arm64: is its mirror out of reach?" >&2
    exit 77
  }
  build "$CACHE/addon-arm64-$suite" 'dpcap_pdump dpcap_agent' "$(tail -n 1 <<<"$said")"
done
ls "$TO"/*
