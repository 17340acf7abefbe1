#!/usr/bin/env bash
# Runs a command in a chroot of the oldest Debian that is supported, which has the cross-compiler for arm64 and QEMU's user
# emulation: this machine gets neither a foreign architecture nor a handler for foreign programs.
#
#   scripts/arm64-chroot.sh COMMAND...     # QEMU_LD_PREFIX is the folder with arm64's programs and libraries
#
# DPCAP_CACHE and DPCAP_MIRROR as for scripts/chroot.sh. Ends with 77 where the chroot or the folder cannot be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly SUITE=bookworm
readonly HERE='g++-aarch64-linux-gnu cmake ninja-build pkg-config nodejs iproute2 netbase qemu-user-static'
# What addons and native tests are built against, and what tests run.
readonly THERE='libc6-dev libdpdk-dev libpcap-dev libzstd-dev zlib1g-dev liblz4-dev libasan8 libubsan1 libstdc++6 nodejs dpdk-dev tcpdump'

# shellcheck disable=SC2086
said=$(DPCAP_ARCH=arm64 scripts/sysroot.sh "$SUITE" $THERE 2>&1) || {
  tail -n 3 <<<"$said" >&2
  echo "arm64-chroot: cannot get arm64's packages of $SUITE: is its mirror out of reach?" >&2
  exit 77
}
QEMU_LD_PREFIX=$(tail -n 1 <<<"$said")
export QEMU_LD_PREFIX
exec scripts/chroot.sh arm64 "$SUITE" "$HERE" "$@"
