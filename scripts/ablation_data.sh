#!/usr/bin/env bash
# Makes what the sweeps need, or goes on with it: the corpus of the small model, and people to judge by that it never meets
set -euo pipefail
folder=${TINY:-outputs/tiny} test=${TEST:-data/ablation/test} clips=${CLIPS:-400}
bin=${VENV:-.venv}/bin
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
viseme=$folder/viseme.safetensors

[ -f "$viseme" ] || "$bin/python" -m hallo_lit.stages.viseme --out "$viseme"
people=(zoom=1.5 pixels=256 motion=0 posture=1.2 processes="${PROCESSES:-0}")
"$bin/hallo-lit" synthesize out="$folder/corpus" store=true clips="$clips" seconds=1.6 seed=101 test_share=0.04 "${people[@]}" \
  close_up=0.78 close_up_size=128 audio_encoder=viseme audio_encoder.weights="$viseme"
"$bin/hallo-lit" synthesize out="$test" clips=12 seconds=2 seed=302 test_share=0.99 "${people[@]}"
