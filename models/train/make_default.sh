#!/bin/bash
# From nothing to models/default: tokenizer, training, export. Installs nothing. Needs Debian's packages python3-torch, libopenblas0-pthread and gcc.
# On two idle cores with bfloat16 matrix instructions it takes about STEPS * 0.85 seconds.
# Variables: STEPS (of training), SEED, HELPERS (processes of low priority that compute beside it, with the same result), OUT (folder of the model), WORK (folder for what is
# between).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
STEPS=${STEPS-5400} SEED=${SEED-1} HELPERS=${HELPERS-1} OUT=${OUT-$root/models/default} WORK=${WORK-$root/build/model-data}
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
"$python" "$here/train.py" --tokenizer "$WORK/tokenizer.json" --out "$WORK/run" --steps "$STEPS" --seed "$SEED" --helpers "$HELPERS"
"$python" "$here/export.py" --checkpoint "$WORK/run/checkpoint.pt" --tokenizer "$WORK/tokenizer.json" --out "$OUT" --average
echo "Now measure it: python3 bench/default_model/run.py"
