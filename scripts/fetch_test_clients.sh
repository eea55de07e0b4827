#!/bin/sh
# Lays out the JavaScript clients that the server's end-to-end tests use: build/test-clients/node_modules.
# usage: scripts/fetch_test_clients.sh [FOLDER]     Does nothing when they are there already.
set -eu
cd "$(dirname "$0")/.."
out=${1:-build/test-clients}
[ ! -f "$out/node_modules/openai/package.json" ] || exit 0
if ! command -v npm > /dev/null; then
  echo "fetch_test_clients: npm is not installed; install Debian's package npm and run this again" >&2
  exit 1
fi
mkdir -p "$out"
echo '{"private": true}' > "$out/package.json"
cd "$out"
npm install --no-audit --no-fund --no-save --no-package-lock --ignore-scripts --loglevel=error \
  openai@7.57.0 ai@7.0.173 @ai-sdk/openai-compatible@3.0.92 zod@4 > /dev/null
