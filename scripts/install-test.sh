#!/usr/bin/env bash
# Installs what scripts/package.sh --deb has made on a bare Debian, without a compiler, captures from that Debian's testpmd,
# and takes it off again:
#
#   scripts/install-test.sh bookworm|trixie deb|tgz
#
# DPCAP_CACHE, DPCAP_MIRROR and DPCAP_FETCH_LIMIT as for scripts/chroot.sh. Needs root and huge pages. lintian looks at the
# Debian package where the suite's chroot has it, or with DPCAP_LINTIAN=1, which installs it there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PATH=$PATH:/usr/sbin:/sbin
readonly SUITE=${1:?usage: scripts/install-test.sh SUITE deb|tgz} KIND=${2:?usage: scripts/install-test.sh SUITE deb|tgz}
readonly MIRROR=${DPCAP_MIRROR:-http://deb.debian.org/debian}
readonly CACHE=${DPCAP_CACHE:-$PWD/build/cache}
readonly BARE=$CACHE/bare-$SUITE

if [ ! -d "$BARE" ]; then
  rm -rf "$BARE.new"
  timeout --kill-after=10 "${DPCAP_FETCH_LIMIT:-240}" debootstrap --variant=minbase "$SUITE" "$BARE.new" "$MIRROR" >"$BARE.log" 2>&1 || {
    tail -5 "$BARE.log" >&2
    echo "install-test: cannot make a chroot of $SUITE from $MIRROR: is it out of reach, or slower than DPCAP_FETCH_LIMIT?" >&2
    exit 77
  }
  echo 'APT::Install-Recommends "false";' >"$BARE.new/etc/apt/apt.conf.d/90lean"
  mv "$BARE.new" "$BARE"
fi
ROOT=$(mktemp -d "$CACHE/install-XXXXXX")
trap 'rm -rf "$ROOT" /dev/hugepages/dpcap-installmap_*' EXIT
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
fail() { say "$*" && exit 1; }
# That suite's node, and npm where npm installs; for the tarball on Debian 12 as well.
apt-get -q update >/dev/null
case $KIND in tgz) apt-get -q install -y nodejs npm >/dev/null ;; esac

began=$(date +%s)
case $KIND in
  deb) apt-get -q install -y /root/dpcap_*.deb >/dev/null ;;
  tgz) npm install --loglevel=error -g --ignore-scripts /root/dpcap-*.tgz ;;
esac
took=$(($(date +%s) - began))
say "installed in $took s, node $(node --version)"
[ "$took" -lt 60 ] || fail 'that is a minute or more'
dpcap --version
# Nothing is wrong with this system but that the application does not run yet, and that npm brings no libpcap along.
wrong=primaries
[ "$KIND" = deb ] || wrong='addon primaries'
code=0
said=$(dpcap doctor --file-prefix dpcap-install) || code=$?
echo "$said"
[ "$code" = 1 ] && [ "$(sed -n 's/^fail *\([^ ]*\).*/\1/p' <<<"$said" | xargs)" = "$wrong" ] || fail "doctor: exit code $code"
dpcap list
man=$(find /usr -name 'dpcap.1*' | head -n 1)
[ -n "$man" ] && { zcat -f "$man" | grep -q '^\.TH'; } || fail 'there is no man page'
dpcap completion bash >/tmp/completion
case $KIND in deb) cmp /tmp/completion /usr/share/bash-completion/completions/dpcap ;; esac
bash -c '. /tmp/completion && complete -p dpcap' >/dev/null || fail 'bash completes nothing'

apt-get -q install -y dpdk-dev tcpdump >/dev/null
dpcap --explain tcp port 443 >/tmp/explained && [ -s /tmp/explained ] || fail 'no filter was explained'
mkfifo /tmp/input && exec 7<>/tmp/input
dpdk-testpmd --file-prefix dpcap-install -m 128 --no-pci -l 0,1 --vdev net_null0 --vdev net_null1 -- -i --total-num-mbufs=8192 </tmp/input >/tmp/testpmd.log 2>&1 &
testpmd=$!
trap 'kill $testpmd 2>/dev/null || true' EXIT # also where something fails
for _ in $(seq 100); do grep -q 'testpmd>' /tmp/testpmd.log && break; sleep 0.1; done
echo start >&7
dpcap list
dpcap doctor --file-prefix dpcap-install || fail 'doctor finds something wrong with testpmd'
dpcap --file-prefix dpcap-install -i 0 -c 1000 -w /tmp/x.pcapng
[ "$(tcpdump -r /tmp/x.pcapng 2>/dev/null | wc -l)" = 1000 ] || fail 'not 1000 packets'
say 'captured 1000 packets'
# One that is killed leaves an entry in the journal, which outlives the package until it is purged.
dpcap --file-prefix dpcap-install -i 0 -b packets:1000 -b files:2 -w /tmp/ring.pcap >/dev/null 2>&1 &
killed=$!
for _ in $(seq 100); do ls /var/lib/dpcap/journal/*.json >/dev/null 2>&1 && break; sleep 0.1; done
kill -9 $killed && wait $killed || true
entry=$(ls /var/lib/dpcap/journal/*.json) || fail 'a killed capture left nothing in the journal'
for _ in $(seq 300); do grep -qsa 'dpcap/dis[t]' /proc/[0-9]*/cmdline || break; sleep 0.1; done # its engine ends by itself
case $KIND in
  deb)
    apt-get -q remove -y dpcap >/tmp/said 2>&1
    [ -e "$entry" ] || fail 'what was not undone is not known any more'
    grep -q 'dpcap recover' /tmp/said || fail 'removing says nothing of what was not undone'
    apt-get -q purge -y dpcap >/dev/null
    ;;
  tgz)
    dpcap recover --file-prefix dpcap-install
    rmdir /var/lib/dpcap/journal /var/lib/dpcap # which are empty then, and nobody else's
    npm uninstall --silent -g dpcap
    ;;
esac
echo quit >&7
wait
left=$(find / -xdev \( -name '*dpcap*' -o -path '*dpcap/*' \) ! -path '/proc/*' ! -path '/root/*' ! -path '/dev/*' ! -path '*/_logs/*' ! -path '*_cacache*' 2>/dev/null || true)
[ -z "$left" ] || fail "left: $left"
say 'nothing is left of it'

[ "$KIND" = deb ] || exit 0
[ -z "${DPCAP_LINTIAN-}" ] || apt-get -q install -y lintian >/dev/null
if command -v lintian >/dev/null; then
  lintian --fail-on error,warning /root/dpcap_*.deb
  say 'lintian finds nothing'
else
  say 'lintian: skipped, it is not installed here (DPCAP_LINTIAN=1 installs it)'
fi
INSIDE

export ROOT KIND
unshare --mount --propagation private bash -euc '
  mount --bind "$ROOT" "$ROOT"
  mount --rbind /dev "$ROOT/dev"
  mount -t proc proc "$ROOT/proc"
  mount --rbind /sys "$ROOT/sys"
  for folder in run tmp; do mount -t tmpfs "$folder" "$ROOT/$folder"; done
  exec chroot "$ROOT" /usr/bin/env KIND="$KIND" DPCAP_LINTIAN="${DPCAP_LINTIAN-}" NODE_EXTRA_CA_CERTS=/root/certificates.crt npm_config_cafile=/root/certificates.crt bash /root/test.sh
'
