#!/usr/bin/env bash
# Runs the native unit tests under the thread sanitizer: whatever two threads share has to be ordered by C++ atomics, as
# processors with a weaker memory order than x86's need it. Builds them first, in a folder of the cache.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly OUT=${DPCAP_CACHE:-$PWD/build/cache}/threads

cmake -S . -B "$OUT" -DCMAKE_BUILD_TYPE=Release -DSANITIZERS=thread >&2
cmake --build "$OUT" --target native_tests >&2
exec timeout 600 "$OUT/native_tests"
