#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""drain3_templates.py FILE - the peer: templates of each line of FILE by Drain3 (depth 4, similarity 0.4, its defaults) with the
usual masks, as LineId,EventId,EventTemplate. `--time` prints lines per second of CPU time instead."""
import csv
import sys
import time

from drain3 import TemplateMiner
from drain3.masking import RegexMaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

MASKS = [(r'((?<=[^A-Za-z0-9])|^)(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))((?=[^A-Za-z0-9])|$)', '*'),
         (r'((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(:\d+)?((?=[^A-Za-z0-9])|$)', '*'),
         (r'((?<=[^A-Za-z0-9])|^)(0x[a-fA-F0-9]+)((?=[^A-Za-z0-9])|$)', '*'),
         (r'((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)', '*')]


def main():
    config = TemplateMinerConfig()
    try:
        config.masking_instructions = [RegexMaskingInstruction(p, w) for p, w in MASKS]
    except TypeError:
        config.masking_instructions = [RegexMaskingInstruction(p, w, '<') for p, w in MASKS]
    config.profiling_enabled = False
    miner = TemplateMiner(config=config)
    path = sys.argv[-1]
    lines = open(path, encoding='utf-8', errors='replace', newline='\n').read().split('\n')[:-1]
    began = time.process_time()
    ids = [miner.add_log_message(line)['cluster_id'] for line in lines]
    took = time.process_time() - began
    if '--time' in sys.argv:
        print(f'{"Drain3":34s} cpu {took:7.2f} s{"":37s}{round(len(lines) / took):>10,} lines/s')
        return
    final = {c.cluster_id: c.get_template() for c in miner.drain.clusters}
    out = csv.writer(sys.stdout)
    out.writerow(['LineId', 'EventId', 'EventTemplate'])
    for i, k in enumerate(ids, 1):
        out.writerow([i, f'E{k}', final[k]])


main()
