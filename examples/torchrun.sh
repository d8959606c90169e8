#!/bin/sh
# Analyze with one process on each GPU of this machine, started by torchrun:
#
#     ./torchrun.sh MODEL --dataset DATASET --output DIR
#     PROCESSES=2 ./torchrun.sh MODEL --dataset DATASET --output DIR
#
# cuesense reads RANK and WORLD_SIZE and does its share; the process that ends last builds the profile.
set -eu
exec torchrun --standalone --nproc-per-node "${PROCESSES:-gpu}" --no-python \
  sh -c 'CUDA_VISIBLE_DEVICES=$LOCAL_RANK exec cuesense analyze "$@"' analyze "$@"
