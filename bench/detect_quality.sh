#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# detect_quality.sh - recall, false alarms and AUROC of detection on four data sets, one set of defaults, beside trivial baselines.
#
#     bench/detect_quality.sh
#
# Everything goes through the program: learn on the first part, detect the rest; labels are read here, after alm has ended.
set -eu
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
python3 "$here/detect_quality.py" "$ALM" "$SHARED/data" "$WORK" "$OUT/detect_quality.json"
