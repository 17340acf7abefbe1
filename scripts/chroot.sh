#!/usr/bin/env bash
# Runs a command in a chroot of a Debian suite that has these packages, and this checkout under its own path. The chroot is
# made when it is not there, and kept. Other scripts call this one:
#
#   scripts/chroot.sh NAME SUITE 'PACKAGE...' COMMAND...
#
# DPCAP_CACHE says where chroots are kept (default: build/cache), DPCAP_MIRROR where packages come from, DPCAP_FETCH_LIMIT
# how many seconds each download may take: then it ends with 77, and says why. With DPCAP_SHARED_RUN=1 the chroot has this
# machine's /run, where the primaries' runtime directories are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PATH=$PATH:/usr/sbin:/sbin
readonly NAME=${1:?usage: scripts/chroot.sh NAME SUITE PACKAGES COMMAND...} SUITE=$2 PACKAGES=$3
shift 3
readonly MIRROR=${DPCAP_MIRROR:-http://deb.debian.org/debian}
readonly FETCH=(timeout --kill-after=10 "${DPCAP_FETCH_LIMIT:-240}")
CACHE=${DPCAP_CACHE:-$PWD/build/cache}
ROOT=$CACHE/chroot-$NAME

fail() {
  echo "chroot: $*" >&2
  exit 77 # "skipped" in the words of automake
}

[ "$(id -u)" -eq 0 ] || fail 'a chroot needs root'

make_root() {
  rm -rf "$ROOT.new"
  "${FETCH[@]}" debootstrap --variant=minbase "$SUITE" "$ROOT.new" "$MIRROR" || return 1
  echo 'APT::Install-Recommends "false";' >"$ROOT.new/etc/apt/apt.conf.d/90lean"
  install -m 755 /dev/stdin "$ROOT.new/usr/sbin/policy-rc.d" <<<$'#!/bin/sh\nexit 101'  # no package starts its service
  # shellcheck disable=SC2086
  "${FETCH[@]}" chroot "$ROOT.new" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y $PACKAGES || return 1
  rm -rf "$ROOT.new"/var/cache/apt/archives/*.deb
  mv "$ROOT.new" "$ROOT"
}

if [ ! -d "$ROOT" ]; then
  command -v debootstrap >/dev/null || fail 'debootstrap is not installed: apt-get install debootstrap'
  mkdir -p "$CACHE"
  make_root >"$ROOT.log" 2>&1 || {
    tail -5 "$ROOT.log" >&2
    fail "cannot make a chroot of $SUITE from $MIRROR: is it out of reach, or slower than DPCAP_FETCH_LIMIT?"
  }
fi

# All mounts are in a namespace of their own, and gone with it. The cache may be outside the checkout.
CACHE=$(realpath "$CACHE")
export ROOT CACHE CHECKOUT=$PWD
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
  mkdir -p "$ROOT/run/netns"
  for folder in "$CACHE" "$CHECKOUT"; do
    mkdir -p "$ROOT$folder"
    mount --bind "$folder" "$ROOT$folder"
  done
  exec chroot "$ROOT" /usr/bin/env -u NODE_EXTRA_CA_CERTS -C "$CHECKOUT" "$@"
' chroot "$@"
