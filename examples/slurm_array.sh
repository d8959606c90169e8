#!/bin/bash
# Analyze in the tasks of a job array, each with a GPU, and no engine between them:
#
#     sbatch slurm_array.sh MODEL --dataset DATASET --output DIR
#
# All tasks write into DIR, which must be a folder that they share; any number of them may run at a time, in any order.
# The one that ends last builds the profile. Failed ones are repeated alone: sbatch --array=3,17 slurm_array.sh ...
#SBATCH --job-name=cuesense
#SBATCH --array=1-64
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=8
#SBATCH --output=cuesense-%a.log
set -eu
# As many as the array has. Written out, because an array of one repeated task has the count 1.
parts=64
exec cuesense analyze "$@" --part "$SLURM_ARRAY_TASK_ID/$parts" --workers "${SLURM_CPUS_PER_TASK:-8}"
