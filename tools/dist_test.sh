#!/usr/bin/env bash
# dist_test.sh CONFIG CHECKPOINT PROCESSES [options]     TOOL=make_pseudo_labels.py labels instead
CONFIG=$1
CHECKPOINT=$2
PROCESSES=$3
"${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$PROCESSES" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
    "$(dirname "$0")/${TOOL:-test.py}" "$CONFIG" "$CHECKPOINT" --launcher pytorch "${@:4}"
