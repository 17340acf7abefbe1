#!/usr/bin/env bash
# Installs what scripts/package.sh --deb has made on a bare Debian, without a compiler, captures from that Debian's testpmd,
# and takes it off again:
#
#   scripts/install-test.sh bookworm|trixie deb|tgz
#
# DPCAP_CACHE and DPCAP_MIRROR as for scripts/sysroot.sh. Needs root and huge pages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PATH=$PATH:/usr/sbin:/sbin
readonly SUITE=${1:?usage: scripts/install-test.sh SUITE deb|tgz} KIND=${2:?usage: scripts/install-test.sh SUITE deb|tgz}
readonly MIRROR=${DPCAP_MIRROR:-http://deb.debian.org/debian}
readonly CACHE=${DPCAP_CACHE:-$PWD/build/cache}
readonly BARE=$CACHE/bare-$SUITE

if [ ! -d "$BARE" ]; then
  rm -rf "$BARE.new"
  debootstrap --variant=minbase "$SUITE" "$BARE.new" "$MIRROR" >"$BARE.log" 2>&1
  echo 'APT::Install-Recommends "false";' >"$BARE.new/etc/apt/apt.conf.d/90lean"
  mv "$BARE.new" "$BARE"
fi
ROOT=$(mktemp -d "$CACHE/install-XXXXXX")
trap 'rm -rf "$ROOT"' EXIT
cp -a "$BARE/." "$ROOT/"
case $KIND in
  deb) cp build/dpcap_*_"$(dpkg --print-architecture)".deb "$ROOT/root/" ;;
  tgz) cp build/dpcap-*.tgz "$ROOT/root/" ;;
  *) echo "install-test: deb or tgz, not $KIND" >&2 && exit 2 ;;
esac

# A registry may be reached through a proxy that this machine trusts.
certificates=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
[ ! -e "$certificates" ] || cp "$certificates" "$ROOT/root/certificates.crt"

cat >"$ROOT/root/test.sh" <<'INSIDE'
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
say() { echo "install-test: $*"; }
# That suite's node, and npm where npm installs; for the tarball on Debian 12 as well.
apt-get -q update >/dev/null
case $KIND in tgz) apt-get -q install -y nodejs npm >/dev/null ;; esac

began=$(date +%s)
case $KIND in
  deb) apt-get -q install -y /root/dpcap_*.deb >/dev/null ;;
  tgz) npm install --loglevel=error -g --ignore-scripts /root/dpcap-*.tgz ;;
esac
say "installed in $(($(date +%s) - began)) s, node $(node --version)"
dpcap --version
dpcap doctor || say "doctor: exit code $?"
dpcap --explain tcp port 443 2>&1 | head -3 || true
dpcap list

apt-get -q install -y dpdk-dev tcpdump >/dev/null
mkfifo /tmp/input && exec 7<>/tmp/input
dpdk-testpmd --file-prefix dpcap-install -m 128 --no-pci -l 0,1 --vdev net_null0 --vdev net_null1 -- -i --total-num-mbufs=8192 </tmp/input >/tmp/testpmd.log 2>&1 &
for _ in $(seq 100); do grep -q 'testpmd>' /tmp/testpmd.log && break; sleep 0.1; done
echo start >&7
dpcap list
dpcap --file-prefix dpcap-install -i 0 -c 1000 -w /tmp/x.pcapng
[ "$(tcpdump -r /tmp/x.pcapng 2>/dev/null | wc -l)" = 1000 ] || { say 'not 1000 packets' && exit 1; }
say 'captured 1000 packets'
echo quit >&7
wait
case $KIND in
  deb) apt-get -q remove -y --purge dpcap >/dev/null ;;
  tgz) npm uninstall --silent -g dpcap ;;
esac
left=$(find / -xdev \( -name '*dpcap*' -o -path '*dpcap/*' \) ! -path '/proc/*' ! -path '/root/*' ! -path '/dev/*' ! -path '*/_logs/*' ! -path '*_cacache*' 2>/dev/null || true)
[ -z "$left" ] || { say "left: $left" && exit 1; }
say 'nothing is left of it'
INSIDE

export ROOT KIND
unshare --mount --propagation private bash -euc '
  mount --bind "$ROOT" "$ROOT"
  mount --rbind /dev "$ROOT/dev"
  mount -t proc proc "$ROOT/proc"
  mount --rbind /sys "$ROOT/sys"
  for folder in run tmp; do mount -t tmpfs "$folder" "$ROOT/$folder"; done
  exec chroot "$ROOT" /usr/bin/env KIND="$KIND" NODE_EXTRA_CA_CERTS=/root/certificates.crt npm_config_cafile=/root/certificates.crt bash /root/test.sh
'
