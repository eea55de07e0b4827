#!/bin/bash
# From nothing to models/default: tokenizer, training, export. Installs nothing. Needs Debian's packages python3-torch and gcc.
# On two idle cores with bfloat16 matrix instructions it takes about 15,400 steps * 0.63 seconds, two hours and three quarters.
# Variables: STEPS, MORE_STEPS, LAST_STEPS, LONG_STEPS, SHORT_STEPS, TALK_STEPS (of the six stages), SEED, HELPERS (processes of low priority that compute beside it, with the same result), OUT (folder of the model), WORK (folder for what is between).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
STEPS=${STEPS-5600} MORE_STEPS=${MORE_STEPS-500} LAST_STEPS=${LAST_STEPS-520} LONG_STEPS=${LONG_STEPS-8000} SHORT_STEPS=${SHORT_STEPS-500} TALK_STEPS=${TALK_STEPS-240} SEED=${SEED-1} HELPERS=${HELPERS-1} OUT=${OUT-$root/models/default} WORK=${WORK-$root/build/model-data}
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
  export_to "$WORK/$1/model" "$1" --average
}
run one "$STEPS" "$SEED" --stage one
one=$WORK/one/model two=$WORK/two/model
# Lower rates from here on. The second stage's hardly falls: the mean with the first takes the place of that. The third's falls to zero.
run two 2400 "$((SEED + 2))" --stage two --stop "$MORE_STEPS" --init "$one" --warm 20 --decay 1 --muon 0.008 --adam 0.0012
export_to "$WORK/mean" two --mean "$one" "$two" "$two" "$two"
run three "$LAST_STEPS" "$((SEED + 3))" --stage two --init "$WORK/mean" --warm 10 --decay 1 --muon 0.007 --adam 0.001
# The third stage falls to a rate of zero and learns some of it by heart; the mean with where it began is better than both.
export_to "$WORK/mean3" three --mean "$WORK/mean" "$WORK/three/model" "$WORK/three/model"
# From there a long stage at half the rate.
run four "$LONG_STEPS" "$((SEED + 4))" --stage two --init "$WORK/mean3" --warm 40 --decay 0.24 --muon 0.01 --adam 0.0015
# Two short ones, each averaged with where it began.
export_to "$WORK/four/last" four
run five "$SHORT_STEPS" "$((SEED + 11))" --stage two --init "$WORK/four/last" --warm 10 --decay 1 --muon 0.007 --adam 0.001
export_to "$WORK/five/last" five
export_to "$WORK/mean5" five --mean "$WORK/four/last" "$WORK/five/last" "$WORK/five/last"
run six "$TALK_STEPS" "$((SEED + 12))" --stage last --init "$WORK/mean5" --warm 10 --decay 1 --muon 0.006 --adam 0.0009
export_to "$WORK/six/last" six
export_to "$OUT" six --mean "$WORK/mean5" "$WORK/mean5" "$WORK/six/last"
echo "Now measure it: python3 bench/default_model/run.py"
