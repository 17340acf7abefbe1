#!/usr/bin/env bash
# Puts everything in place that building, testing and the demo need: Debian packages, node modules, the build,
# hugepages. Says what it changes; changes nothing when all is there. Without root or apt it says what is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PATH=$PATH:/usr/sbin:/sbin # where a plain user does not look

readonly HUGEPAGES_WANTED=512 # of 2 MB each
readonly HUGEPAGES=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
readonly HUGETLBFS=/dev/hugepages
readonly NODE_WANTED='20.17'

# What is needed, the Debian package that brings it, and how to tell that it is there.
readonly REQUIREMENTS='
dpdk-testpmd     dpdk-dev      command
libdpdk>=22.11   libdpdk-dev   pkg-config
libpcap          libpcap-dev   pkg-config
libzstd          libzstd-dev   pkg-config
zlib             zlib1g-dev    pkg-config
liblz4           liblz4-dev    pkg-config
zstd             zstd          command
lz4              lz4           command
pkg-config       pkg-config    command
cmake            cmake         command
make             make          command
g++              g++           command
clang            clang         command
libbpf>=1.0      libbpf-dev    pkg-config
clang-format     clang-format  command
clang            clang         command
libFuzzer        libclang-rt-dev fuzzer
tcpdump          tcpdump       command
tshark           tshark        command
ip               iproute2      command
ethtool          ethtool       command
sysctl           procps        command
mkfs.ext4        e2fsprogs     command
ping             iputils-ping  command
curl             curl          command
python3          python3       command
debootstrap      debootstrap   command
zsh              zsh           command
sudo             sudo          command
'

changed=0
missing=()
work=$(mktemp -d)
readonly log_file=$work/log
readonly started=$work/started # its time is that of the sources which a build has seen
trap 'rm -rf "$work"' EXIT

say() { printf 'set-up: %s\n' "$*"; }

# Announces a change to this machine or checkout.
change() {
  changed=1
  say "$*"
}

# Notes something this script may not or cannot bring about: what it is, and the command that would.
miss() { missing+=("$(printf '%-44s %s' "$1" "$2")"); }

is_root() { [ "$(id -u)" -eq 0 ]; }

# Runs a command quietly; when it fails, shows what it printed and stops.
quietly() {
  if ! "$@" >"$log_file" 2>&1; then
    cat "$log_file" >&2
    say "failed: $*" >&2
    exit 1
  fi
}

is_there() {
  case "$2" in
    command) command -v "$1" >/dev/null ;;
    fuzzer) echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | clang -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null ;;
    pkg-config) command -v pkg-config >/dev/null && pkg-config --exists "${1/>=/ >= }" 2>/dev/null ;;
  esac
}

check_node() {
  local version
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    miss "Node.js $NODE_WANTED or later, with npm" 'see https://nodejs.org/en/download'
    return
  fi
  version=$(node -p 'process.versions.node')
  if [ "$(printf '%s\n' "$NODE_WANTED" "$version" | sort -V | head -n1)" != "$NODE_WANTED" ]; then
    miss "Node.js $NODE_WANTED or later (this is $version)" 'see https://nodejs.org/en/download'
  fi
}

install_packages() {
  local name package kind packages=()
  while read -r name package kind; do
    [ -n "$name" ] || continue
    is_there "$name" "$kind" && continue
    if is_root && command -v apt-get >/dev/null; then
      packages+=("$package")
    elif command -v apt-get >/dev/null; then
      miss "$name" "sudo apt-get install -y $package"
    else
      miss "$name" "install what Debian calls $package with this system's package manager"
    fi
  done <<<"$REQUIREMENTS"
  [ "${#packages[@]}" -gt 0 ] || return 0
  change "installing Debian packages: ${packages[*]}"
  # The package lists may be absent or stale: fetch them only when the installation fails without.
  if ! apt_install "${packages[@]}" >"$log_file" 2>&1; then
    change 'updating the package lists'
    quietly apt-get -q update
    quietly apt_install "${packages[@]}"
  fi
}

apt_install() {
  # Debian's tshark asks whether everybody may capture; the default, no, is what noninteractive takes.
  DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
}

install_node_modules() {
  node scripts/modules-match.mjs && return
  change 'installing node modules (npm ci)'
  quietly npm ci --no-audit --no-fund
}

# Succeeds when $1 exists and nothing among the other paths is newer; folders count, so deletions are seen.
is_current() {
  local target=$1
  shift
  [ -e "$target" ] && [ -z "$(find "$@" -newer "$target" -print -quit 2>/dev/null)" ]
}

# What CMake has found is in its cache: another release, or another prefix (PKG_CONFIG_PATH), means to look again.
forget_other_dpdk() {
  local dpdk
  dpdk="$(pkg-config --modversion libdpdk) in $(pkg-config --variable=libdir libdpdk)"
  mkdir -p build
  if [ -e build/dpdk.txt ] && [ "$(cat build/dpdk.txt)" != "$dpdk" ]; then
    change "building against DPDK $dpdk, before against $(cat build/dpdk.txt)"
    rm -f build/CMakeCache.txt build/native.stamp
  fi
  echo "$dpdk" >build/dpdk.txt
}

build() {
  local folder sources=()
  forget_other_dpdk
  if ! is_current build/native.stamp native CMakeLists.txt package-lock.json || [ ! -e build/Release/dpcap_host.node ]; then
    change 'building the native addon'
    touch "$started"
    quietly npm run --silent build:native # cmake-js empties build/ when it has to configure again
    mv "$started" build/native.stamp
  fi
  for folder in src test scripts bench; do [ ! -d "$folder" ] || sources+=("$folder"); done
  if ! is_current dist/typescript.stamp "${sources[@]}" tsconfig.json package-lock.json; then
    change 'compiling TypeScript'
    touch "$started"
    quietly npm run --silent build:ts
    mv "$started" dist/typescript.stamp
  fi
}

reserve_hugepages() {
  local have
  if [ ! -r "$HUGEPAGES" ]; then
    miss 'hugepages of 2 MB' 'this kernel has none: boot one with CONFIG_HUGETLBFS'
    return
  fi
  have=$(cat "$HUGEPAGES")
  [ "$have" -lt "$HUGEPAGES_WANTED" ] || return 0
  # Root in a container may still face a read-only /sys: the attempt tells.
  if ! { echo "$HUGEPAGES_WANTED" >"$HUGEPAGES"; } 2>/dev/null; then
    miss "$HUGEPAGES_WANTED hugepages of 2 MB (there are $have)" "echo $HUGEPAGES_WANTED | sudo tee $HUGEPAGES"
    return
  fi
  change "reserved hugepages of 2 MB: $HUGEPAGES_WANTED (there were $have)"
  have=$(cat "$HUGEPAGES")
  if [ "$have" -lt "$HUGEPAGES_WANTED" ]; then
    say "warning: the kernel gave only $have of $HUGEPAGES_WANTED hugepages; memory is short or in pieces:"
    say "warning:   free some memory, then: echo 1 >/proc/sys/vm/compact_memory; scripts/setup.sh"
  fi
}

mount_hugetlbfs() {
  ! grep -q " $HUGETLBFS hugetlbfs " /proc/mounts || return 0
  if ! is_root; then
    miss "hugetlbfs on $HUGETLBFS" "sudo mkdir -p $HUGETLBFS && sudo mount -t hugetlbfs -o pagesize=2M none $HUGETLBFS"
    return
  fi
  mkdir -p "$HUGETLBFS"
  if ! mount -t hugetlbfs -o pagesize=2M none "$HUGETLBFS"; then
    miss "hugetlbfs on $HUGETLBFS" 'permission to mount (a container needs CAP_SYS_ADMIN, or the host must mount it)'
    return
  fi
  change "mounted hugetlbfs on $HUGETLBFS"
}

stop_if_missing() {
  local item
  [ "${#missing[@]}" -gt 0 ] || return 0
  say 'these are missing, and this script cannot bring them here; run the commands on the right:' >&2
  for item in "${missing[@]}"; do say "  $item" >&2; done
  exit 1
}

check_node
install_packages
reserve_hugepages
mount_hugetlbfs
stop_if_missing
install_node_modules
build
[ "$changed" -eq 1 ] || say 'everything is in place'
