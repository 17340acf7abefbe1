#!/usr/bin/env bash
# Captures with arm64's dpcap from arm64's testpmd, both under QEMU's user emulation; scripts/arm64-test.sh calls it.
#
#   scripts/arm64-capture.sh FOLDER     # with the addons for arm64
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly ADDONS=${1:?usage: scripts/arm64-capture.sh FOLDER}

if [ "${2-}" = in-namespace ]; then
  # The kernel keeps the emulator open (F), so it need not be in the chroot under that name. The magic is that of an
  # executable or shared object of 64 bits, little-endian, for aarch64.
  mount -t proc proc /proc
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  emulator=${DPCAP_CACHE:-$PWD/build/cache}/chroot-arm64/usr/bin/qemu-aarch64-static
  magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  printf '%s' ":dpcap-aarch64:M::$magic:$mask:$emulator:F" >/proc/sys/fs/binfmt_misc/register
  exec scripts/arm64-chroot.sh bash "$0" "$ADDONS" in-chroot
elif [ "${2-}" != in-chroot ]; then
  scripts/arm64-chroot.sh true # makes it, which a user namespace could not
  exec unshare --user --map-root-user --mount --net --pid --fork --kill-child bash "$0" "$ADDONS" in-namespace
fi

say() { echo "arm64-test: capture: $*"; }
mkdir -p /run/dpdk
mount --bind "$ADDONS" build/Release
mkfifo /tmp/input && exec 7<>/tmp/input
"$QEMU_LD_PREFIX/usr/bin/dpdk-testpmd" --file-prefix arm64 --no-pci -m 64 -l 0,1 --vdev net_null0 \
  -- -i --total-num-mbufs=4096 </tmp/input >/tmp/testpmd.log 2>&1 &
for _ in $(seq 300); do grep -q 'testpmd>' /tmp/testpmd.log && break; sleep 0.1; done
grep -q 'testpmd>' /tmp/testpmd.log || { tail -n 5 /tmp/testpmd.log && say 'EAL does not start' && exit 1; }
echo start >&7

# What dpcap reads of the emulated process is the emulator's, where three things differ: its executable; the number of the
# system call that EAL's thread waits in (src/primary/silent-processes.ts); and its mappings, none of which is executable,
# so that the primary's table of mempool handlers is not found in them (--trust-mempools).
echo '212 0x5' >/tmp/waiting
for name in $(grep -lxE 'rte_mp_handle|dpdk-mp-msg' /proc/[0-9]*/task/[0-9]*/comm); do
  mount --bind /tmp/waiting "${name%/comm}/syscall"
done
export PATH=$QEMU_LD_PREFIX/usr/bin:$PATH # bin/dpcap takes the first node
timeout 120 bin/dpcap list
# What net_null receives is zeros.
timeout 240 bin/dpcap --file-prefix arm64 -i 0 --trust-mempools -c 1000 -w /tmp/x.pcap 'ether[0:4] = 0'
grep -i bpf /tmp/testpmd.log || true
bytes=$(stat -c %s /tmp/x.pcap)
echo quit >&7
wait
# The file's header, and for each packet of 64 bytes that of its record.
[ "$bytes" -eq $((24 + 1000 * (16 + 64))) ] || { say "the file has $bytes bytes" && exit 1; }
say '1000 packets'
