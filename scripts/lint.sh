#!/usr/bin/env bash
# Biome for TypeScript, clang-format for C and C++, and the two include rules that keep the languages apart.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0

# Lists lines of native/ that include $1 outside the folders matched by $2.
only_under() {
  local offenders
  offenders=$(grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$1" native | grep -vE "^native/($2)/")
  [ -n "$offenders" ] || return 0
  printf 'lint: %s may be included only under native/(%s):\n%s\n' "$1" "$2" "$offenders"
  failed=1
}

node_modules/.bin/biome check --error-on-warnings src test bin scripts bench examples *.json || failed=1
find native include -name '*.cc' -o -name '*.c' -o -name '*.h' | xargs clang-format --dry-run -Werror || failed=1
only_under 'napi\.h' 'js'
only_under 'rte_' 'base|primary|host|mbuf|filter|record|pdump|sink|capture|agent|ebpf'
node scripts/lint-house.mjs || failed=1
exit "$failed"
