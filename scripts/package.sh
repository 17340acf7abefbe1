#!/usr/bin/env bash
# Makes what is installed without a compiler, in build/: dpcap-VERSION.tgz for npm and, with --deb, dpcap_VERSION_ARCH.deb.
# They hold the addons for this machine's DPDK and for those of the given Debian suites (default: trixie sid). On amd64 the
# tarball holds those for arm64 as well, which are cross-built, and there are two Debian packages; --only-here leaves that
# out, where there is no root, debootstrap or mirror.
#
#   scripts/package.sh [--deb] [--only-here] [SUITE...]
#
# It is to be run on the oldest system that is supported, Debian 12: the addons need the C library of where they are built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

deb=no
arm64=no
[ "$(dpkg --print-architecture)" != amd64 ] || arm64=yes
suites=()
for word in "$@"; do
  case $word in
    --deb) deb=yes ;;
    --only-here) arm64=no ;;
    *) suites+=("$word") ;;
  esac
done
[ "${#suites[@]}" -gt 0 ] || suites=(trixie sid)

rm -f build/Release/dpcap_*.node build/Release/libdpcap_agent.*.so # none of another commit, or of a suite that was not asked for
npm run --silent build
for suite in "${suites[@]}"; do scripts/build-addon.sh "$suite"; done
prebuilds=prebuilds/linux-$(node -p process.arch)
rm -rf prebuilds man && mkdir -p "$prebuilds" man
cp build/Release/dpcap_*.node build/Release/libdpcap_agent.*.so "$prebuilds/"
strip --strip-unneeded "$prebuilds"/*
[ "$arm64" = no ] || scripts/build-arm64.sh prebuilds/linux-arm64 "${suites[@]}" || {
  echo 'package: there are no addons for arm64, and so no package; --only-here makes one without them' >&2
  exit 1
}
# The addons hold these libraries, whose licences want to come along.
install -d prebuilds/licenses
for library in libzstd liblz4 zlib1g; do
  cp "/usr/share/doc/$library-dev/copyright" "prebuilds/licenses/$library"
done
node dist/scripts/man.js >man/dpcap.1
npm pack --silent --ignore-scripts --pack-destination build
[ "$deb" = no ] || scripts/deb.sh "$(dpkg --print-architecture)"
[ "$deb$arm64" != yesyes ] || scripts/deb.sh arm64
rm -rf prebuilds man
