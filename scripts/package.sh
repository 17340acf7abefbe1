#!/usr/bin/env bash
# Makes what is installed without a compiler, in build/: dpcap-VERSION.tgz for npm and, with --deb, dpcap_VERSION_ARCH.deb.
# Both hold the addons for this machine's DPDK and for those of the given Debian suites (default: trixie sid).
#
#   scripts/package.sh [--deb] [SUITE...]
#
# It is to be run on the oldest system that is supported, Debian 12: the addons need the C library of where they are built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

deb=no
if [ "${1-}" = --deb ]; then
  deb=yes
  shift
fi
suites=("$@")
[ "${#suites[@]}" -gt 0 ] || suites=(trixie sid)

rm -f build/Release/dpcap_*.node # none of another commit, or of a suite that was not asked for
npm run --silent build
for suite in "${suites[@]}"; do scripts/build-addon.sh "$suite"; done
prebuilds=prebuilds/linux-$(node -p process.arch)
rm -rf prebuilds man && mkdir -p "$prebuilds" man
cp build/Release/dpcap_*.node "$prebuilds/"
strip --strip-unneeded "$prebuilds"/*.node
node dist/scripts/man.js >man/dpcap.1
npm pack --silent --ignore-scripts --pack-destination build
[ "$deb" = no ] || scripts/deb.sh
rm -rf prebuilds man
