#!/usr/bin/env bash
# Has libFuzzer make up messages to the agent, filter programs for its compiler, and files of packets to read, under the
# address and undefined-behaviour sanitizers. What it finds interesting is kept in the cache, and is where the next run begins.
#
#   scripts/fuzz-agent.sh [SECONDS-FOR-EACH]     (default: until it finds something, one after the other for an hour each)
#
# Needs clang with libFuzzer (Debian's clang and libclang-rt-dev).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly OUT=${DPCAP_CACHE:-$PWD/build/cache}/fuzz
readonly SECONDS_EACH=${1:-3600}

mkdir -p "$OUT"
cmake -S . -B "$OUT" -DCMAKE_BUILD_TYPE=Release -DFUZZERS=ON -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
  >"$OUT.log" 2>&1 || {
  cat "$OUT.log" >&2
  exit 1
}
while :; do
  for fuzzer in agent_messages filter_jit packet_file; do
    cmake --build "$OUT" --target "fuzz_$fuzzer" >"$OUT.log" 2>&1 || {
      cat "$OUT.log" >&2
      exit 1
    }
    mkdir -p "$OUT/$fuzzer"
    # What is not freed is looked for at the end of a run alone: the server's thread may have it just then.
    ASAN_OPTIONS=detect_leaks=0 "$OUT/fuzz_$fuzzer" -max_total_time="$SECONDS_EACH" -max_len=2048 -print_final_stats=1 \
      -artifact_prefix="$OUT/$fuzzer-" "$OUT/$fuzzer" 2>"$OUT/$fuzzer.log" || {
      tail -40 "$OUT/$fuzzer.log" >&2
      exit 1
    }
    echo "$fuzzer: $(sed -n 's/^stat::number_of_executed_units: *//p' "$OUT/$fuzzer.log") inputs, nothing found"
  done
  [ $# -eq 0 ] || break
done
