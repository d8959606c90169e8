#!/bin/sh
# Analyze on all GPUs of this machine, or on all of its cores where it has none:
#
#     ./ray_one_machine.sh MODEL --dataset DATASET --output DIR
#
# Ray is started for the time of the run (pip install 'cuesense[ray]'). Each worker has the model once: give
# --ray-workers N where memory is too small for one a core.
set -eu
exec cuesense analyze "$@" --engine ray
