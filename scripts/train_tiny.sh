#!/usr/bin/env bash
# Trains model=tiny from nothing, or goes on where the last call stopped: train_tiny.sh [FOLDER] [STEPS] [CLIPS]
set -euo pipefail
folder=${1:-outputs/tiny} steps=${2:-9000} clips=${3:-400}
bin=${VENV:-.venv}/bin
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
viseme=$folder/viseme.safetensors face=$folder/face_encoder.safetensors
ear=(audio_encoder=viseme "audio_encoder.weights=$viseme")
eye=(face_encoder=conv "face_encoder.weights=$face")
own=("audio_encoder.weights=$viseme" "face_encoder.weights=$face" resume=auto)

# corpora WORD...: three sets of people; what is there is kept, what an encoder lacks is added
corpora() {
  local people=(store=true "clips=$clips" seconds=1.6 test_share=0.04 pixels=256 posture=1.2 close_up_size=128 "${ear[@]}" "$@")
  local faces=(zoom=1.5 close_up=0.78)
  "$bin/hallo-lit" synthesize out="$folder/corpus" seed=101 motion=0 "${people[@]}" "${faces[@]}"
  "$bin/hallo-lit" synthesize out="$folder/expressions" seed=303 motion=1.2 sway=0 "${people[@]}" "${faces[@]}"
  "$bin/hallo-lit" synthesize out="$folder/heads" seed=404 motion=0 sway=2 "${people[@]}" zoom=1.0 close_up=1.6
}

[ -f "$viseme" ] || "$bin/python" -m hallo_lit.stages.viseme --out "$viseme"
if [ ! -f "$face" ]; then
  corpora '~face_encoder'
  "$bin/hallo-lit" train experiment=tiny_face_encoder steps="${FACE_STEPS:-500}" run_dir="$folder/face_encoder" \
    data.store="$folder/expressions" resume=auto
  "$bin/hallo-lit" weights export "$folder/face_encoder" out="$face"
fi
corpora "${eye[@]}"
"$bin/hallo-lit" train experiment=tiny_talking steps="$steps" run_dir="$folder/talking" data.store="$folder/corpus" "${own[@]}"
"$bin/hallo-lit" train experiment=tiny_temporal steps="${TEMPORAL_STEPS:-1200}" run_dir="$folder/temporal" \
  data.store="$folder/corpus" init.weights="[$folder/talking]" "${own[@]}"
"$bin/hallo-lit" train experiment=tiny_decoder steps="${DECODER_STEPS:-2000}" run_dir="$folder/decoder" \
  data.store="$folder/corpus" init.weights="[$folder/temporal]" "${own[@]}"
"$bin/hallo-lit" train experiment=tiny_expression steps="${EXPRESSION_STEPS:-2000}" run_dir="$folder/expression" \
  data.store="$folder/expressions" init.weights="[$folder/decoder]" "${own[@]}"
"$bin/hallo-lit" train experiment=tiny_head steps="${HEAD_STEPS:-2000}" run_dir="$folder/head" \
  data.store="$folder/heads" init.weights="[$folder/expression]" "${own[@]}"
"$bin/hallo-lit" weights export "$folder/head" out="$folder/bundle" dtype=fp16 overwrite=true
echo "$folder/bundle: judge it with $bin/python benchmarks/talking.py $folder/bundle"
