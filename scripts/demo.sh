#!/bin/sh
# What `make demo` shows: a program explained, then two programs run on a model.
# usage: scripts/demo.sh [MODEL]
# The model is the argument, the variable SGL_MODEL, models/default, or the test model beside the repository;
# without any, only the explanation is shown.
set -eu
cd "$(dirname "$0")/.."

model=
if [ -n "${1:-}" ]; then
  if [ ! -d "$1" ]; then
    echo "demo: MODEL=$1 is not a folder" >&2
    exit 2
  fi
  model=$1
else
  for folder in "${SGL_MODEL:-}" models/default ../shared/models/stories260k; do
    if [ -n "$folder" ] && [ -f "$folder/config.json" ]; then
      model=$folder
      break
    fi
  done
fi

say() { printf '\n$ %s\n' "$*"; }
show() {
  say "$@"
  "$@"
}

show build/bin/sglc explain examples/judge.sgl
if [ -z "$model" ]; then
  echo
  echo "No model was found, so nothing was run. Pass one:"
  echo "  make demo MODEL=/path/to/a/hugging-face/folder"
  exit 0
fi
show build/bin/sgl run examples/story.sgl --model "$model" --args examples/inputs/story.json --stats
show build/bin/sgl run examples/judge.sgl --model "$model" --args examples/inputs/judge.json --stats
