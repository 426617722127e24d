#!/usr/bin/env bash
# Trains model=tiny from nothing, or goes on where the last call stopped: train_tiny.sh [FOLDER] [STEPS] [CLIPS]
set -euo pipefail
folder=${1:-outputs/tiny} steps=${2:-9000} clips=${3:-400}
bin=${VENV:-.venv}/bin
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
viseme=$folder/viseme.safetensors

[ -f "$viseme" ] || "$bin/python" -m hallo_lit.stages.viseme --out "$viseme"
"$bin/hallo-lit" synthesize out="$folder/corpus" store=true clips="$clips" seconds=1.6 seed=101 test_share=0.04 \
  zoom=1.5 pixels=256 motion=0 posture=1.2 close_up=0.78 close_up_size=128 \
  audio_encoder=viseme audio_encoder.weights="$viseme"
# temporal parts start as nothing and would cost a fifth of the time; they are for a later stage
own=(model.denoiser.extras.temporal=false)
"$bin/python" scripts/train_tiny.py --corpus "$folder/corpus" --out "$folder/run" --steps "$steps" "${own[@]}"
"$bin/python" scripts/train_tiny.py --out "$folder/run" --viseme "$viseme" --bundle "$folder/bundle" "${own[@]}"
echo "$folder/bundle: judge it with $bin/python benchmarks/talking.py $folder/bundle"
