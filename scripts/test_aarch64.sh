#!/bin/sh
# Cross-compiles the kernels for AArch64 and runs their tests under QEMU. Needs Debian's g++-aarch64-linux-gnu and
# qemu-user-static beside the packages of scripts/bootstrap.sh; it builds without compiler, JIT and server.
# usage: scripts/test_aarch64.sh [FOLDER…]     folders of tests/unit; kernels by default. Under QEMU a test takes about 20 times as long.
set -eu
cd "$(dirname "$0")/.."
for program in aarch64-linux-gnu-g++ qemu-aarch64-static; do
  if ! command -v "$program" > /dev/null; then
    echo "test_aarch64: $program is not installed; as root: apt-get install --no-install-recommends g++-aarch64-linux-gnu qemu-user-static" >&2
    exit 2
  fi
done
[ $# -gt 0 ] || set -- kernels
cmake --preset aarch64
cmake --build --preset aarch64 -j "$(nproc)" --target $(printf 'unit_%s ' "$@" | tr / _)
ctest --preset aarch64 -j "$(nproc)" -R "^unit/($(printf '%s|' "$@" | sed 's/|$//'))\$"
