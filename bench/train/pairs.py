#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pairs.py - two programs in turns on the same cores: the ratio of their times with a 95 % interval. Standard library only.

usage: pairs.py [--rounds N] [--name NAME] OURS PEER ARGUMENTS

Each program answers a line with the seconds that it took, and the end of its input with its largest resident set in KiB. The
last but one argument is threads, so many cores are given to both. The first round warms up and does not count. The interval is
Student's t over the logarithms of the rounds' ratios."""
import argparse
import json
import math
import os
import shlex
import statistics
import subprocess

T = {4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 14: 2.145, 19: 2.093}


def begin(command, cores):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                            preexec_fn=lambda: os.sched_setaffinity(0, cores))


def ask(p):
    p.stdin.write('\n')
    p.stdin.flush()
    return float(p.stdout.readline())


def end(p):
    p.stdin.close()
    return int(p.stdout.readline()) / 1024


a = argparse.ArgumentParser()
a.add_argument('--rounds', type=int, default=9)
a.add_argument('--name', default='')
a.add_argument('ours')
a.add_argument('peer')
a.add_argument('arguments')
a = a.parse_args()
numbers = a.arguments.split()
cores = set(range(int(numbers[-1])))
tokens = int(numbers[6]) * int(numbers[7]) * int(numbers[8])
ours, peer = begin([a.ours] + numbers, cores), begin(shlex.split(a.peer) + numbers, cores)
ask(ours), ask(peer)
times = [(ask(ours), ask(peer)) for _ in range(a.rounds)]
logs = [math.log(y / x) for x, y in times]
mean, half = statistics.mean(logs), T.get(a.rounds - 1, 2.0) * statistics.stdev(logs) / math.sqrt(a.rounds)
rss, peer_rss = end(ours), end(peer)
print(json.dumps({'name': a.name, 'rounds': a.rounds, 'tokens_per_s': round(tokens / statistics.median(x for x, _ in times)),
                  'peer_tokens_per_s': round(tokens / statistics.median(y for _, y in times)),
                  'ratio': round(math.exp(mean), 3), 'ratio_95': [round(math.exp(mean - half), 3), round(math.exp(mean + half), 3)],
                  'rss_mib': round(rss, 1), 'peer_rss_mib': round(peer_rss, 1), 'rss_share': round(rss / peer_rss, 3)}), flush=True)
