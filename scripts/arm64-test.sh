#!/usr/bin/env bash
# Tests on arm64, under QEMU's user emulation: the native unit tests, with sanitizers; the filters' tests; a capture from
# testpmd.
#
#   scripts/arm64-test.sh [native | filters | capture]...     (default: all)
#
# What this cannot show is in which order other cores see memory, for QEMU's cores are this machine's: that is for
# scripts/threads-test.sh. DPCAP_CACHE and DPCAP_MIRROR as for scripts/chroot.sh. Ends with 77, and says why, where the
# compiler or arm64's packages cannot be had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CACHE=$(realpath -m "${DPCAP_CACHE:-$PWD/build/cache}")
readonly CACHE
readonly ADDONS=$CACHE/arm64-release # lies over build/Release where arm64's node runs
readonly LIMIT_S=3600                # for each part; the filters take the longest, some minutes for each file
failed=0

say() { echo "arm64-test: $*"; }

# Runs a command in the chroot, bounded in time, with arm64's addons in the place of this machine's.
within() {
  timeout "$LIMIT_S" scripts/arm64-chroot.sh bash -euc 'mount --bind "$0" build/Release && exec "$@"' "$ADDONS" "$@"
}

native() {
  local tap code=0
  scripts/arm64-chroot.sh cmake --build "$CACHE/addon-arm64-bookworm" --target native_tests >&2
  # The leak sanitizer needs ptrace, which QEMU's user emulation does not have.
  tap=$(DPCAP_EMULATED=1 ASAN_OPTIONS=detect_leaks=0 within qemu-aarch64-static "$CACHE/addon-arm64-bookworm/native_tests") || code=$?
  grep '^not ok' <<<"$tap" || true
  say "native unit tests: $(grep -c '^ok' <<<"$tap" || true) passed, $(grep -c '^not ok' <<<"$tap" || true) failed, exit code $code"
  return "$code"
}

# Those that start programs are left out: emulated, they would start this machine's.
filters() {
  say 'filter tests:'
  # shellcheck disable=SC2016
  within bash -euc 'exec node dist/scripts/run-tests.js --time-limit "$0" \
    --with "qemu-aarch64-static $QEMU_LD_PREFIX/usr/bin/node" "$@"' "$LIMIT_S" \
    test/filter/{differential,fuzz,inner,vlan,word-programs,named-filters,compile} test/filter/{codegen,text,words}/
}

# Needs a kernel that lets a user namespace have its own handlers of foreign programs, so that arm64's programs can start
# one another and nothing else on this machine is changed.
capture() {
  # shellcheck disable=SC2016
  if ! unshare --user --map-root-user --mount --pid --fork bash -c \
    'mount -t proc proc /proc && mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc' 2>/dev/null; then
    say 'capture: skipped: this kernel has no binfmt_misc for user namespaces (Linux 6.7)'
  elif [ "$(awk '/^HugePages_Free:/ { print $2 }' /proc/meminfo)" -lt 128 ]; then
    say 'capture: skipped: fewer than 128 huge pages are free'
  else
    timeout "$LIMIT_S" scripts/arm64-capture.sh "$ADDONS"
  fi
}

parts=("$@")
[ "${#parts[@]}" -gt 0 ] || parts=(native filters capture)
scripts/build-arm64.sh "$ADDONS" >&2
npm run --silent build:ts
mkdir -p build/Release
for part in "${parts[@]}"; do
  case $part in
    native | filters | capture) "$part" || failed=1 ;;
    *) echo "arm64-test: native, filters or capture, not $part" >&2 && exit 2 ;;
  esac
done
exit "$failed"
