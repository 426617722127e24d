#!/usr/bin/env bash
# Trains model=tiny from nothing, or goes on where the last call stopped: train_tiny.sh [FOLDER] [STEPS] [CLIPS]
set -euo pipefail
folder=${1:-outputs/tiny} steps=${2:-9000} clips=${3:-400}
bin=${VENV:-.venv}/bin
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
viseme=$folder/viseme.safetensors
own=("audio_encoder.weights=$viseme" "data.store=$folder/corpus" resume=auto)

[ -f "$viseme" ] || "$bin/python" -m hallo_lit.stages.viseme --out "$viseme"
"$bin/hallo-lit" synthesize out="$folder/corpus" store=true clips="$clips" seconds=1.6 seed=101 test_share=0.04 \
  zoom=1.5 pixels=256 motion=0 posture=1.2 close_up=0.78 close_up_size=128 \
  audio_encoder=viseme audio_encoder.weights="$viseme"
"$bin/hallo-lit" train experiment=tiny_talking steps="$steps" run_dir="$folder/talking" "${own[@]}"
"$bin/hallo-lit" train experiment=tiny_decoder steps="${DECODER_STEPS:-2000}" run_dir="$folder/decoder" \
  init.weights="[$folder/talking]" "${own[@]}"
"$bin/hallo-lit" weights export "$folder/decoder" out="$folder/bundle" dtype=fp16 overwrite=true
echo "$folder/bundle: judge it with $bin/python benchmarks/talking.py $folder/bundle"
