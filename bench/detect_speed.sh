#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# detect_speed.sh - how long learning takes, and how many records a second detection, learning and mining read, with the
# reading in a second thread on two cores, and in one thread on one.
#
#     bench/detect_speed.sh [RECORDS]     about RECORDS records in the stream, 3000000 if not given
#
# Learns the first 12,000 lines of the OpenStack sample, then streams the rest, repeated, through a pipe and from a file.
set -eu
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
records=${1:-3000000}
json=$OUT/detect_speed.json
: >"$json"
log=$SHARED/data/openstack_raw/nova-sample.log

head -n 12000 "$log" >"$WORK/learn"
tail -n +12001 "$log" >"$WORK/rest"
measure --cores 0,1 --repeat 3 --lines 12000 --json "$json" --name 'learn 12,000 lines, --no-lm' -- "$ALM" learn --no-lm "$WORK/learn" -o "$WORK/model.gguf" -q
measure --cores 0,1 --repeat 1 --lines 12000 --json "$json" --name 'learn 12,000 lines, with a language model' -- "$ALM" learn "$WORK/learn" -o "$WORK/lm.gguf" -q
measure --cores 0,1 --repeat 3 --lines "$(wc -l <"$log")" --json "$json"  --name 'learn openstack_raw whole, --no-lm' -- "$ALM" learn --no-lm "$log" -o "$WORK/whole.gguf" -q
echo "model file: $(wc -c <"$WORK/model.gguf") bytes"

grow "$WORK/rest" "$WORK/stream" $(($(wc -c <"$WORK/rest") * records / $(wc -l <"$WORK/rest")))
n=$(wc -l <"$WORK/stream")
measure --cores 0,1 --repeat 3 --lines "$n" --json "$json" --name 'detect, file' -- "$ALM" detect --model "$WORK/model.gguf" --only-alarms -q "$WORK/stream"
measure --cores 0,1 --repeat 3 --lines "$n" --json "$json" --name 'detect with a language model, file' -- "$ALM" detect --model "$WORK/lm.gguf" --only-alarms -q "$WORK/stream"
measure --cores 0,1 --repeat 3 --lines "$n" --json "$json" --name 'detect, standard input' --in "$WORK/stream" -- "$ALM" detect --model "$WORK/model.gguf" --only-alarms -q -
measure --cores 0 --repeat 1 --lines "$n" --json "$json" --name 'detect, one core' -- "$ALM" detect --model "$WORK/model.gguf" --only-alarms -q --threads 1 "$WORK/stream"
measure --cores 0,1 --repeat 3 --lines "$n" --json "$json" --name 'learn, stream, --no-lm' -- "$ALM" learn --no-lm -q "$WORK/stream" -o "$WORK/stream.gguf"
measure --cores 0 --repeat 1 --lines "$n" --json "$json" --name 'learn, stream, --no-lm, one core' -- "$ALM" learn --no-lm -q --threads 1 "$WORK/stream" -o "$WORK/stream.gguf"
measure --cores 0,1 --repeat 3 --lines "$n" --json "$json" --name 'patterns, stream' -- "$ALM" patterns -q "$WORK/stream"
measure --cores 0 --repeat 1 --lines "$n" --json "$json" --name 'patterns, stream, one core' -- "$ALM" patterns -q --threads 1 "$WORK/stream"
