#!/bin/bash
# From nothing to models/default: tokenizer, training, export. Installs nothing. Needs Debian's packages python3-torch, libopenblas0-pthread and gcc.
# On two idle cores with bfloat16 matrix instructions it takes about (STEPS + MORE_STEPS) * 0.85 seconds.
# Variables: STEPS (of the first stage), MORE_STEPS (of the second), SEED, HELPERS (processes of low priority that compute beside it, with the same result), OUT (folder of the model), WORK (folder for what is
# between).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
STEPS=${STEPS-5400} MORE_STEPS=${MORE_STEPS-600} SEED=${SEED-1} HELPERS=${HELPERS-1} OUT=${OUT-$root/models/default} WORK=${WORK-$root/build/model-data}
python=${PYTHON-/usr/bin/python3}
# Without these, glibc returns every activation to the kernel and fetches zeroed pages for the next.
export MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=8589934592 MALLOC_TOP_PAD_=268435456
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1
# Batches come in some hundred shapes; oneDNN makes kernels for each and keeps 1,024 of them unless told otherwise.
export ONEDNN_PRIMITIVE_CACHE_CAPACITY=20000

"$python" -c 'import torch' || { echo "needs: apt-get install python3-torch libopenblas0-pthread gcc" >&2; exit 2; }
mkdir -p "$WORK"
"$python" "$here/check.py"
"$python" "$here/tokenizer.py" --out "$WORK/tokenizer.json" --seed "$SEED"
run() {  # stage, steps, seed, where it begins
  "$python" "$here/train.py" --stage "$1" --steps "$2" --seed "$3" "${@:4}" --tokenizer "$WORK/tokenizer.json" --out "$WORK/$1" --helpers "$HELPERS"
  "$python" "$here/export.py" --checkpoint "$WORK/$1/checkpoint.pt" --tokenizer "$WORK/tokenizer.json" --out "$WORK/$1/model" --average
}
run one "$STEPS" "$SEED"
# The rate falls as for a longer run and is never low: the mean with the first stage takes its place, and what was seen too often is not learned by heart.
run two 2400 "$((SEED + 2))" --stop "$MORE_STEPS" --init "$WORK/one/model" --warm 20 --decay 1 --muon 0.008 --adam 0.0012
one=$WORK/one/model two=$WORK/two/model
"$python" "$here/export.py" --checkpoint "$WORK/two/checkpoint.pt" --mean "$one" "$two" "$two" "$two" --tokenizer "$WORK/tokenizer.json" --out "$OUT"
echo "Now measure it: python3 bench/default_model/run.py"
