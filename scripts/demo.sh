#!/bin/sh
# What `make demo` shows: a record extracted from a sentence, a judge explained and run with its cache statistics, and a
# tool call. All run on the bundled model unless another is named.
# usage: scripts/demo.sh [MODEL]
# Without an argument the variable SGL_MODEL counts, then models/default.
set -eu
cd "$(dirname "$0")/.."

if [ -n "${1:-}" ]; then
  if [ ! -d "$1" ]; then
    echo "demo: MODEL=$1 is not a folder" >&2
    exit 2
  fi
  SGL_MODEL=$1
  export SGL_MODEL
fi

show() {
  printf '\n$ %s\n' "$*"
  "$@"
}

show build/bin/sgl run examples/extract.sgl --args examples/inputs/extract.json
show build/bin/sglc explain examples/judge.sgl
show build/bin/sgl run examples/judge.sgl --args examples/inputs/judge.json --stats
show build/bin/sgl run examples/tool_call.sgl --args examples/inputs/tool_call.json
