#!/usr/bin/env bash
# Runs a command in a chroot of a Debian suite, which has that suite's DPDK, node and what the live tests drive, and this
# checkout under its own path. The chroot is made when it is not there, and kept.
#
#   scripts/release-chroot.sh trixie node dist/scripts/run-tests.js test/live/contract.ts
#
# DPCAP_CACHE and DPCAP_MIRROR as for scripts/sysroot.sh. With DPCAP_SHARED_RUN=1 the chroot has this machine's /run, where
# the primaries' runtime directories are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PATH=$PATH:/usr/sbin:/sbin
readonly SUITE=${1:?usage: scripts/release-chroot.sh SUITE COMMAND...}
shift
readonly MIRROR=${DPCAP_MIRROR:-http://deb.debian.org/debian}
readonly CACHE=${DPCAP_CACHE:-$PWD/build/cache}
readonly ROOT=$CACHE/chroot-$SUITE
readonly PACKAGES='dpdk dpdk-dev nodejs libpcap0.8 tcpdump tshark iproute2 procps ethtool iputils-ping curl python3 e2fsprogs'

fail() {
  echo "release-chroot: $*" >&2
  exit 77 # "skipped" in the words of automake
}

[ "$(id -u)" -eq 0 ] || fail 'a chroot needs root'
command -v debootstrap >/dev/null || fail 'debootstrap is not installed: apt-get install debootstrap'

make_root() {
  rm -rf "$ROOT.new"
  mkdir -p "$CACHE"
  debootstrap --variant=minbase "$SUITE" "$ROOT.new" "$MIRROR" || return 1
  echo 'APT::Install-Recommends "false";' >"$ROOT.new/etc/apt/apt.conf.d/90lean"
  # shellcheck disable=SC2086
  chroot "$ROOT.new" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y $PACKAGES || return 1
  rm -rf "$ROOT.new"/var/cache/apt/archives/*.deb
  mv "$ROOT.new" "$ROOT"
}

if [ ! -d "$ROOT" ]; then
  make_root >"$CACHE.log" 2>&1 || {
    tail -5 "$CACHE.log" >&2
    fail "cannot make a chroot of $SUITE from $MIRROR"
  }
fi

# All mounts are in a namespace of their own, and gone with it.
export ROOT CHECKOUT=$PWD PROGRAMS=$CACHE/addon-$SUITE
exec unshare --mount --propagation private bash -euc '
  mount --bind "$ROOT" "$ROOT"  # the root has to be a mount, for "ip netns exec"
  mount --rbind /dev "$ROOT/dev"
  mount -t proc proc "$ROOT/proc"
  mount --rbind /sys "$ROOT/sys"
  mount -t tmpfs tmp "$ROOT/tmp"
  if [ "${DPCAP_SHARED_RUN-}" ]; then
    mount --rbind /run "$ROOT/run"
  else
    mount -t tmpfs run "$ROOT/run"
  fi
  mkdir -p "$ROOT/run/netns" "$ROOT$CHECKOUT"
  mount --bind "$CHECKOUT" "$ROOT$CHECKOUT"
  exec chroot "$ROOT" /usr/bin/env -u NODE_EXTRA_CA_CERTS -C "$CHECKOUT" DPCAP_TEST_PROGRAMS="$PROGRAMS" "$@"
' release-chroot "$@"
