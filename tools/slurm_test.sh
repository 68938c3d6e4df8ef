#!/usr/bin/env bash
# GPUS=8 slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [options]
# TOOL=make_pseudo_labels.py labels instead
TOOL=${TOOL:-test.py} exec "$(dirname "$0")/slurm_train.sh" "$@"
