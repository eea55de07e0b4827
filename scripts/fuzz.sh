#!/bin/sh
# Builds the fuzzers and runs each for a while. Needs Debian's clang and libclang-rt-14-dev beside the packages of scripts/bootstrap.sh.
# usage: scripts/fuzz.sh SECONDS [NAME…]     all of tests/fuzz/corpus by default
# What is found new goes to build-fuzz/corpus/NAME, inputs that fail to build-fuzz/crashes; exit code 1 if any did.
set -eu
cd "$(dirname "$0")/.."
case "${1:-}" in
  "" | *[!0-9]*) echo "usage: $0 SECONDS [NAME…]" >&2; exit 2 ;;
esac
seconds=$1
shift
if ! command -v clang++ > /dev/null; then
  echo "fuzz: clang++ is not installed; as root: apt-get install clang libclang-rt-14-dev" >&2
  exit 2
fi
[ $# -gt 0 ] || set -- $(ls tests/fuzz/corpus)

cmake --preset fuzz -Wno-dev
cmake --build --preset fuzz -j "$(nproc)" --target $(printf 'fuzz_%s ' "$@")

failed=
mkdir -p build-fuzz/crashes
for name in "$@"; do
  mkdir -p "build-fuzz/corpus/$name"
  echo "== fuzz_$name"
  # 25 seconds for one input and 2 GB are far above what any of them needs; inputs beyond 16 KB find nothing more.
  "build-fuzz/bin/fuzz_$name" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -max_len=16384 \
    -print_final_stats=1 -artifact_prefix="build-fuzz/crashes/$name-" \
    "build-fuzz/corpus/$name" "tests/fuzz/corpus/$name" || failed="$failed $name"
done
if [ -n "$failed" ]; then
  echo "fuzz: failed:$failed; the inputs are in build-fuzz/crashes" >&2
  exit 1
fi
