#!/usr/bin/env bash
# Runs the native unit tests under the thread sanitizer: whatever two threads share has to be ordered by C++ atomics, as
# processors with a weaker memory order than x86's need it. Builds them first, in a folder of the cache. With --build it
# runs nothing, and prints the name of the executable.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly OUT=${DPCAP_CACHE:-$PWD/build/cache}/threads

mkdir -p "$OUT"
cmake -S . -B "$OUT" -DCMAKE_BUILD_TYPE=Release -DSANITIZERS=thread >"$OUT.log" 2>&1 || {
  cat "$OUT.log" >&2
  exit 1
}
cmake --build "$OUT" --target native_tests >&2
if [ "${1-}" = --build ]; then
  echo "$OUT/native_tests"
else
  exec timeout 600 "$OUT/native_tests"
fi
