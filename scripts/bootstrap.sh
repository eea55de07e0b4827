#!/bin/sh
# Installs the Debian 12 packages that the build and the tests need (docs/dependencies.md says what each is for).
# Does nothing when all of them are there.
# usage: scripts/bootstrap.sh           installs what is missing; needs root, or sudo
#        scripts/bootstrap.sh --check   prints what is missing, one a line; exit code 1 if anything is
set -eu

# llvm-19-dev brings what its own CMake configuration requires, except zlib and zstd.
packages="g++ make cmake ninja-build ccache lld
  antlr4 libantlr4-runtime-dev
  llvm-19-dev zlib1g-dev libzstd-dev
  libfmt-dev nlohmann-json3-dev libcli11-dev doctest-dev
  libssl-dev libcpp-httplib-dev libsqlite3-dev libspdlog-dev libtomlplusplus-dev pkg-config
  libjemalloc-dev
  python3 python3-jsonschema libvalijson-dev"

check=
case "${1:-}" in
  "") ;;
  --check) check=1 ;;
  *) echo "usage: $0 [--check]" >&2; exit 2 ;;
esac

if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
  echo "bootstrap: this is not a Debian system; nothing is installed. Install the equivalents of:" $packages >&2
  [ -z "$check" ] || exit 1
  exit 0
fi

missing=
for package in $packages; do
  status=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null || true)
  case "$status" in
    installed*) ;;
    *) missing="$missing $package" ;;
  esac
done

if [ -z "$missing" ]; then
  exit 0
fi
if [ -n "$check" ]; then
  for package in $missing; do echo "$package"; done
  exit 1
fi

sudo=
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo > /dev/null; then
    echo "bootstrap: these packages are missing, and installing them needs root (there is no sudo here). As root:" >&2
    echo "  apt-get install$missing" >&2
    exit 1
  fi
  sudo=sudo
fi
echo "bootstrap: installing$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# shellcheck disable=SC2086  # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing < /dev/null
