#!/usr/bin/env bash
# Trains model=tiny from nothing, or goes on where the last call stopped: train_tiny.sh [FOLDER] [STEPS] [CLIPS]
# CODEC=shortcut_8 puts an AutoencoderKL around the linear codec, trained first, in place of the network that finishes
# pictures.
set -euo pipefail
folder=${1:-outputs/tiny} steps=${2:-9000} clips=${3:-400} codec=${CODEC:-patch}
bin=${VENV:-.venv}/bin
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
viseme=$folder/viseme.safetensors face=$folder/face_encoder.safetensors
ear=(audio_encoder=viseme "audio_encoder.weights=$viseme")
eye=(face_encoder=conv "face_encoder.weights=$face")

# corpora WORD...: three sets of people; what is there is kept, what an encoder lacks is added
corpora() {
  local people=(store=true "clips=$clips" seconds=1.6 test_share=0.04 pixels=256 posture=1.2 close_up_size=128 "${ear[@]}" "$@")
  local faces=(zoom=1.5 close_up=0.78)
  "$bin/hallo-lit" synthesize out="$folder/corpus" seed=101 motion=0 "${people[@]}" "${faces[@]}"
  "$bin/hallo-lit" synthesize out="$folder/expressions" seed=303 motion=1.2 sway=0 "${people[@]}" "${faces[@]}"
  "$bin/hallo-lit" synthesize out="$folder/heads" seed=404 motion=0 sway=2 "${people[@]}" zoom=1.0 close_up=1.6
}

# stage NAME STEPS STORE BEFORE WORD...: one run of experiment=tiny_NAME, which begins from the run BEFORE (-: nothing)
stage() {
  local begin=()
  [ "$4" = - ] || begin=("init.weights=[$folder/$4]")
  "$bin/hallo-lit" train experiment="tiny_$1" steps="$2" data.store="$folder/$3" run_dir="$folder/$1" resume=auto "${begin[@]}" "${@:5}"
}

[ -f "$viseme" ] || "$bin/python" -m hallo_lit.stages.viseme --out "$viseme"
if [ ! -f "$face" ]; then
  corpora '~face_encoder'
  stage face_encoder "${FACE_STEPS:-500}" expressions -
  "$bin/hallo-lit" weights export "$folder/face_encoder" out="$face"
fi
corpora "${eye[@]}"
first=- parts=("audio_encoder.weights=$viseme" "face_encoder.weights=$face") decoder=()
if [ "$codec" != patch ]; then
  first=codec
  stage codec "${CODEC_STEPS:-2000}" corpus - size=talker "codec@size.codec=$codec" data.batch_size=8 data.samples.masks=portrait \
    optimizer.lr=1e-3
  parts+=("codec@size.codec=$codec")
  decoder=("stage.learning.trains=[codec.vae.decoder.*,codec.vae.post_quant_conv.*,codec.synthesis.*]" "init.fresh=[]")
fi
stage talking "$steps" corpus "$first" "${parts[@]}"
stage temporal "${TEMPORAL_STEPS:-1200}" corpus talking "${parts[@]}"
stage decoder "${DECODER_STEPS:-2000}" corpus temporal "${parts[@]}" "${decoder[@]}"
stage expression "${EXPRESSION_STEPS:-2000}" expressions decoder "${parts[@]}"
stage head "${HEAD_STEPS:-2000}" heads expression "${parts[@]}"
"$bin/hallo-lit" weights export "$folder/head" out="$folder/bundle" dtype=fp16 overwrite=true
echo "$folder/bundle: judge it with $bin/python benchmarks/talking.py $folder/bundle"
