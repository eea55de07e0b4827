#!/bin/sh
# Builds the tools with sanitizers and runs the end-to-end tests against them.
# usage: scripts/sanitized_e2e.sh asan|tsan [FILTER…]     all tests by default; asan includes UndefinedBehaviorSanitizer
# BUILD=no takes the tools as they are; JOBS says how many compilers run. What the sanitizers report goes to
# build-asan/reports or build-tsan/reports, one file a process; exit code 1 if a test failed or anything was reported.
# The suppressions, each with its reason, are in tests/sanitizers.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-}
case "$kind" in
  asan | tsan) shift ;;
  *) echo "usage: $0 asan|tsan [FILTER…]" >&2; exit 2 ;;
esac
build=build-$kind
if [ "${BUILD:-yes}" != no ]; then
  cmake --preset "$kind" -Wno-dev
  cmake --build --preset "$kind" -j "${JOBS:-$(nproc)}" --target sgl sglc
fi

reports=$PWD/$build/reports
rm -rf "$reports"
mkdir -p "$reports"
supp=$PWD/tests/sanitizers
export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1:strict_init_order=1:log_path=$reports/asan"
export LSAN_OPTIONS="suppressions=$supp/lsan.supp:print_suppressions=0"
export UBSAN_OPTIONS="print_stacktrace=1:log_path=$reports/ubsan"
# A race is reported where it is and the process goes on, so that one run finds all of them.
export TSAN_OPTIONS="suppressions=$supp/tsan.supp:halt_on_error=0:second_deadlock_stack=1:history_size=4:log_path=$reports/tsan"
# Instrumented code at -O1 is about this much slower; the tests allow it that much more time.
export SGL_TEST_SLOWNESS="${SGL_TEST_SLOWNESS:-10}"

code=0
# -R: with the address space laid out at random, ThreadSanitizer's shadow may have no place.
setarch "$(uname -m)" -R python3 tests/e2e/run.py --bin "$build/bin" "$@" || code=$?
count=$(find "$reports" -type f | wc -l)
echo "$kind: $count reports in $build/reports"
if [ "$count" != 0 ]; then
  grep -rhE '^SUMMARY|runtime error' "$reports" | sort | uniq -c | sort -rn | head -n 20
  exit 1
fi
exit "$code"
