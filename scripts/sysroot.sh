#!/usr/bin/env bash
# Prints a folder with packages of a Debian suite, which are unpacked and not installed. It is made when it is not there.
#
#   scripts/sysroot.sh trixie              # the headers and libraries of its DPDK, for building dpcap's addon against it
#   scripts/sysroot.sh bookworm nodejs ... # these packages and all that they depend on
#
# DPCAP_CACHE says where such folders are kept (default: build/cache), DPCAP_MIRROR where packages come from,
# DPCAP_FETCH_LIMIT how many seconds each download may take, and DPCAP_ARCH for which architecture (default: this machine's).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly SUITE=${1:?usage: scripts/sysroot.sh SUITE [PACKAGE...]}
shift
readonly ARCH=${DPCAP_ARCH:-$(dpkg --print-architecture)}
readonly MIRROR=${DPCAP_MIRROR:-http://deb.debian.org/debian}
readonly CACHE=${DPCAP_CACHE:-$PWD/build/cache}
kind=sysroot
[ $# -eq 0 ] || kind=root
readonly ROOT=$CACHE/$kind-$SUITE-$ARCH
readonly APT=$CACHE/apt-$kind-$SUITE-$ARCH
# What the addon is linked with (CMakeLists.txt), and what those headers include.
readonly LIBRARIES='eal mbuf mempool ring bpf ethdev pdump pcapng net meter kvargs telemetry log cryptodev'

if [ -e "$ROOT/done" ] && [ "$(cat "$ROOT/done")" = "$*" ]; then
  echo "$ROOT"
  exit
fi

# apt with folders of its own: this machine's lists and packages stay as they are.
apt_own() {
  local command=$1
  shift
  timeout --kill-after=10 "${DPCAP_FETCH_LIMIT:-240}" "$command" -q \
    -o Dir="$APT" -o Dir::State::status="$APT/status" -o Dir::Etc::trusted=/etc/apt/trusted.gpg \
    -o Dir::Etc::trustedparts=/usr/share/keyrings -o APT::Architecture="$ARCH" -o APT::Architectures="$ARCH" \
    -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Acquire::Languages=none "$@"
}

# Downloads libdpdk-dev and those libraries of DPDK that the addon needs, without the hundred others.
download_dpdk() {
  local abi library packages=(libdpdk-dev)
  abi=$(apt_own apt-cache search --names-only '^librte-eal[0-9]+$' | sed -n 's/^librte-eal\([0-9]*\) .*/\1/p' | sort -n | tail -1)
  for library in $LIBRARIES; do
    apt_own apt-cache show "librte-$library$abi" >/dev/null 2>&1 && packages+=("librte-$library$abi")
  done
  (cd "$APT/packages" && apt_own apt-get download "${packages[@]}")
}

# Downloads packages with all that they depend on: to apt this is a system on which nothing is installed.
download_whole() {
  apt_own apt-get install -y --download-only -o Dir::Cache::archives="$APT/packages" "$@"
}

rm -rf "$ROOT" "$APT/packages"
mkdir -p "$APT"/{etc/apt/apt.conf.d,etc/apt/preferences.d,var/lib/apt/lists/partial,var/cache/apt/archives/partial} \
  "$APT/packages/partial" "$ROOT/usr/lib" "$ROOT/usr/bin" "$ROOT/usr/sbin"
touch "$APT/status"
echo "deb $MIRROR $SUITE main" >"$APT/etc/apt/sources.list"
{
  apt_own apt-get update
  if [ $# -eq 0 ]; then
    download_dpdk
  else
    download_whole "$@"
    # Packages of Debian 13 rely on these links of base-files, those of Debian 12 have files below them.
    for folder in lib bin sbin; do ln -s "usr/$folder" "$ROOT/$folder"; done
  fi
  for package in "$APT"/packages/*.deb; do dpkg-deb -x "$package" "$ROOT"; done
  rm -rf "$APT/packages"
  echo "$*" >"$ROOT/done"
} >&2
echo "$ROOT"
