#!/usr/bin/env bash
# Makes what the sweeps train on and are judged by, or goes on where the last call stopped: ablation_data.sh [FOLDER]
set -euo pipefail
folder=${1:-data/ablation}
bin=${VENV:-.venv}/bin
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
viseme=$folder/viseme.safetensors

[ -f "$viseme" ] || "$bin/python" -m hallo_lit.stages.viseme --out "$viseme"
people=(zoom=1.5 pixels=256 motion=0 posture=1.2)
"$bin/hallo-lit" synthesize out="$folder/store" store=true clips=100 seconds=1.6 seed=301 test_share=0.04 "${people[@]}" \
  close_up=0.78 close_up_size=128 audio_encoder=viseme audio_encoder.weights="$viseme" processes="${PROCESSES:-0}"
"$bin/hallo-lit" synthesize out="$folder/test" clips=12 seconds=2 seed=302 test_share=0.99 "${people[@]}" \
  processes="${PROCESSES:-0}"
