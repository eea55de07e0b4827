#!/bin/bash
# From nothing to models/default: tokenizer, training, export. Installs nothing. Needs Debian's packages python3-torch and gcc.
# On two idle cores with bfloat16 matrix instructions it takes about 15,000 steps * 0.54 seconds, two hours and a quarter; with dot products of bfloat16 (AVX512-BF16) 1.25 seconds a step.
# Interrupted, the same command goes on where it was; what lies in WORK must be of the same code, data and variables.
# Variables: STEPS, LATE_STEPS, LAST_STEPS, SHORT_STEPS (of the four stages), SEED, HELPERS (processes of low priority that compute beside it, with the same result), WORK (folder for what is between), OUT (folder of the model, models/default).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
STEPS=${STEPS-4300} LATE_STEPS=${LATE_STEPS-3600} LAST_STEPS=${LAST_STEPS-6500} SHORT_STEPS=${SHORT_STEPS-620} SEED=${SEED-1} HELPERS=${HELPERS-1} WORK=${WORK-$root/build/model-data}
OUT=${OUT-$root/models/default}
python=${PYTHON-/usr/bin/python3}
# Without these, glibc returns every activation to the kernel and fetches zeroed pages for the next.
export MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=8589934592 MALLOC_TOP_PAD_=268435456
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1

"$python" -c 'import torch' || { echo "needs: apt-get install python3-torch gcc" >&2; exit 2; }
mkdir -p "$WORK"
"$python" "$here/check.py"
"$python" "$here/tokenizer.py" --out "$WORK/tokenizer.json" --seed "$SEED"
export_to() {  # folder, the checkpoint's stage, what else
  "$python" "$here/export.py" --checkpoint "$WORK/$2/checkpoint.pt" --tokenizer "$WORK/tokenizer.json" --out "$1" "${@:3}"
}
run() {  # stage, steps, seed, how
  "$python" "$here/train.py" --steps "$2" --seed "$3" "${@:4}" --tokenizer "$WORK/tokenizer.json" --out "$WORK/$1" --helpers "$HELPERS"
}
# Copying, finding, then everything at the full rate; then, with the lists that come late, at a rate that falls; then with more tools and more of what fails most,
# from half the rate down to zero.
run one "$STEPS" "$SEED" --stage one --decay 0.01
run two 5700 "$((SEED + 1))" --stage two --stop "$LATE_STEPS" --init "$WORK/one/checkpoint.pt" --warm 40 --decay 0.85
run three "$LAST_STEPS" "$((SEED + 2))" --stage three --init "$WORK/two/checkpoint.pt" --warm 40 --decay 0.6 --muon 0.012 --adam 0.0018
export_to "$WORK/three/model" three --average
# And a short one with more extraction and classification, averaged with where it began.
run four "$SHORT_STEPS" "$((SEED + 3))" --stage four --init "$WORK/three/model" --warm 10 --decay 1 --muon 0.008 --adam 0.0012
export_to "$WORK/four/model" four
export_to "$OUT" four --mean "$WORK/three/model" "$WORK/four/model"
echo "Now measure it: python3 bench/default_model/run.py --split dev --model $OUT"
