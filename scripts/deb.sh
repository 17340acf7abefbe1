#!/usr/bin/env bash
# Makes build/dpcap_VERSION_ARCH.deb from what scripts/package.sh has laid out, and from the tarball it has made:
#
#   scripts/deb.sh amd64|arm64
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$(node -p "require('./package.json').version")
arch=${1:?usage: scripts/deb.sh amd64|arm64}
prebuilds=prebuilds/linux-${arch/amd64/x64} # node's name of it
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 0755 "$root"
lib=$root/usr/lib/dpcap
doc=$root/usr/share/doc/dpcap

install -d "$lib/dist" "$root/usr/bin" "$root/usr/share/man/man1" "$doc" "$root/DEBIAN" \
  "$root/usr/share/bash-completion/completions" "$root/usr/share/zsh/vendor-completions" \
  "$root/usr/share/fish/vendor_completions.d" "$root/usr/include" "$root/var/lib/dpcap"
cp include/dpcap_agent.h "$root/usr/include/"
cp -r bin filters "$lib/"
cp -r --parents "$prebuilds" "$lib/"
cp -r dist/bundle "$lib/dist/"
node -e 'const { name, version, type } = require("./package.json"); console.log(JSON.stringify({ name, version, type }))' >"$lib/package.json"
ln -s ../lib/dpcap/bin/dpcap "$root/usr/bin/dpcap"
gzip -9n <man/dpcap.1 >"$root/usr/share/man/man1/dpcap.1.gz"
bin/dpcap completion bash >"$root/usr/share/bash-completion/completions/dpcap"
bin/dpcap completion zsh >"$root/usr/share/zsh/vendor-completions/_dpcap"
bin/dpcap completion fish >"$root/usr/share/fish/vendor_completions.d/dpcap.fish"
{
  printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: dpcap\n\n'
  printf 'Files: *\nCopyright: 2026 the dpcap authors\nLicense: Apache-2.0\n\nLicense: Apache-2.0\n'
  printf ' On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.\n'
  printf '\nFiles: native/ebpf/kernel/*\nCopyright: 2026 the dpcap authors\nLicense: BSD-2-Clause or GPL-2\n\nLicense: GPL-2\n'
  printf ' On Debian systems the full text is in /usr/share/common-licenses/GPL-2.\n\nLicense: BSD-2-Clause\n'
  sed -n '/^Redistribution/,$ { s/^$/./; s/^/ /; p }' native/ebpf/kernel/LICENSE
  printf '\nComment: The addons hold libzstd, liblz4 and zlib. What their authors say is in\n /usr/share/doc/dpcap/licenses.\n'
} >"$doc/copyright"
{
  printf 'dpcap (%s) unstable; urgency=medium\n\n' "$version"
  printf '  * What changed is in /usr/share/doc/dpcap/NEWS.gz.\n\n'
  printf ' -- The dpcap authors <dpcap@dpcap.invalid>  %s\n' "$(git log -1 --format=%aD)"
} | gzip -9n >"$doc/changelog.gz"
gzip -9n <CHANGELOG.md >"$doc/NEWS.gz"
cp -r prebuilds/licenses "$doc/"
install -d "$root/usr/share/lintian/overrides"
cat >"$root/usr/share/lintian/overrides/dpcap" <<'OVERRIDES'
# A shared zlib crashes inside node, which exports functions of a zlib of its own: the loader binds the calls that the
# shared one makes of its own functions to those.
dpcap: embedded-library zlib [usr/lib/dpcap/prebuilds/*]
OVERRIDES
find "$root" -type d -exec chmod 0755 {} +
find "$root" -type f -exec chmod 0644 {} +
chmod 0755 "$lib/bin/dpcap"

size=$(du -sk --exclude=DEBIAN "$root" | cut -f1)
cat >"$root/DEBIAN/control" <<CONTROL
Package: dpcap
Version: $version
Architecture: $arch
Maintainer: The dpcap authors <dpcap@dpcap.invalid>
Installed-Size: $size
Depends: nodejs (>= 18.20), libpcap0.8 | libpcap0.8t64, libc6 (>= 2.36)
Recommends: tcpdump, libbpf1
Suggests: dpdk, wireshark
Section: net
Priority: optional
Description: packet capture for DPDK applications
 dpcap is tcpdump for DPDK applications, whose packets the kernel never sees. It
 attaches to a running one, applies a filter there, and writes what matches to a
 pcap or pcapng file, to a pipe, or to a kernel interface.
CONTROL
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
cp scripts/deb-postrm.sh "$root/DEBIAN/postrm"
chmod 0644 "$root"/DEBIAN/*
chmod 0755 "$root/DEBIAN/postrm"
dpkg-deb --root-owner-group --build "$root" "build/dpcap_${version}_$arch.deb" >/dev/null
echo "build/dpcap_${version}_$arch.deb"
