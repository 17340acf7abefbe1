#!/usr/bin/env bash
# Prints a folder with the headers and libraries of the DPDK of a Debian suite, for building dpcap's addon against it. It
# is made when it is not there, from Debian's packages, which are unpacked and not installed.
#
#   scripts/sysroot.sh trixie
#
# DPCAP_CACHE says where such folders are kept (default: build/cache), DPCAP_MIRROR where packages come from, and
# DPCAP_ARCH for which architecture (default: this machine's).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly SUITE=${1:?usage: scripts/sysroot.sh SUITE}
readonly ARCH=${DPCAP_ARCH:-$(dpkg --print-architecture)}
readonly MIRROR=${DPCAP_MIRROR:-http://deb.debian.org/debian}
readonly CACHE=${DPCAP_CACHE:-$PWD/build/cache}
readonly ROOT=$CACHE/sysroot-$SUITE-$ARCH
readonly APT=$CACHE/apt-$SUITE-$ARCH
# What the addon is linked with (CMakeLists.txt), and what those headers include.
readonly LIBRARIES='eal mbuf mempool ring bpf ethdev pdump pcapng net meter kvargs telemetry log cryptodev'

if [ -e "$ROOT/done" ]; then
  echo "$ROOT"
  exit
fi

# apt with folders of its own: this machine's lists and packages stay as they are.
apt_own() {
  local command=$1
  shift
  "$command" -q \
    -o Dir="$APT" -o Dir::State::status="$APT/status" -o Dir::Etc::trusted=/etc/apt/trusted.gpg \
    -o Dir::Etc::trustedparts=/usr/share/keyrings -o APT::Architecture="$ARCH" -o APT::Architectures="$ARCH" \
    -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

mkdir -p "$APT"/{etc/apt/apt.conf.d,etc/apt/preferences.d,var/lib/apt/lists/partial,var/cache/apt/archives/partial} "$ROOT"
touch "$APT/status"
echo "deb $MIRROR $SUITE main" >"$APT/etc/apt/sources.list"
{
  apt_own apt-get update
  abi=$(apt_own apt-cache search --names-only '^librte-eal[0-9]+$' | sed -n 's/^librte-eal\([0-9]*\) .*/\1/p' | sort -n | tail -1)
  packages=(libdpdk-dev)
  for library in $LIBRARIES; do
    apt_own apt-cache show "librte-$library$abi" >/dev/null 2>&1 && packages+=("librte-$library$abi")
  done
  rm -rf "$APT/packages" && mkdir -p "$APT/packages"
  (cd "$APT/packages" && apt_own apt-get download "${packages[@]}")
  for package in "$APT"/packages/*.deb; do dpkg-deb -x "$package" "$ROOT"; done
  touch "$ROOT/done"
} >&2
echo "$ROOT"
