#!/bin/sh
# Lays out the peer of bench/peer/run.py: llama.cpp as the npm package node-llama-cpp ships it, prebuilt for CPUs.
# usage: scripts/fetch_bench_peer.sh [FOLDER]     Does nothing when it is there already.
set -eu
cd "$(dirname "$0")/.."
out=${1:-build/bench-peer}
[ ! -f "$out/node_modules/node-llama-cpp/package.json" ] || exit 0
if ! command -v npm > /dev/null; then
  echo "fetch_bench_peer: npm is not installed; install Debian's package npm and run this again" >&2
  exit 1
fi
mkdir -p "$out"
echo '{"private": true}' > "$out/package.json"
cd "$out"
npm install --no-audit --no-fund --no-save --no-package-lock --ignore-scripts --loglevel=error node-llama-cpp@3.22.1 > /dev/null
