#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""measure.py - runs a command pinned to given cores and says what it cost. Standard library only.

usage: measure.py [--cores 0,1] [--repeat N] [--in FILE] [--lines N] [--json FILE --name NAME] -- COMMAND...

Its standard output goes to /dev/null. CPU time is user + system of the command and its children, as the kernel counts it,
so that a busy neighbour disturbs it less than the clock; the median of N runs is printed with the least and the most.
RSS is the largest resident set of any run, mapped files included. With --lines, lines/s is lines over CPU seconds when one
core is given, over wall seconds when there are more. A command with several threads also shows the CPU time of the busiest
one, looked at a hundred times a second: what the clock would show, at best, with a core for each.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time


def look_at_threads(pid, threads):
    try:
        for thread in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{thread}/schedstat') as f:
                threads[thread] = int(f.read().split()[0]) / 1e9
    except OSError:
        pass  # it has just ended


def run(command, cores, path):
    source = open(path, 'rb') if path else subprocess.DEVNULL
    began = time.monotonic()
    child = subprocess.Popen(command, stdin=source, stdout=subprocess.DEVNULL,
                             preexec_fn=lambda: os.sched_setaffinity(0, cores))
    threads = {}
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        look_at_threads(child.pid, threads)
        time.sleep(0.01)
    wall = time.monotonic() - began
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1):
        sys.exit(f'{command[0]} ended with status {code}')
    busiest = max(threads.values()) if len(threads) > 1 else None
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, busiest


def cpu_name():
    for line in open('/proc/cpuinfo'):
        if line.startswith('model name'):
            return line.split(':', 1)[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--cores', default='0')
    parser.add_argument('--repeat', type=int, default=3)
    parser.add_argument('--in', dest='path')
    parser.add_argument('--lines', type=int)
    parser.add_argument('--json')
    parser.add_argument('--name', default='')
    parser.add_argument('command', nargs='+')
    a = parser.parse_args()
    cores = {int(c) for c in a.cores.split(',')}
    runs = [run(a.command, cores, a.path) for _ in range(a.repeat)]
    wall, cpu = statistics.median(r[0] for r in runs), statistics.median(r[1] for r in runs)
    result = {'name': a.name, 'command': ' '.join(os.path.basename(x) if x.startswith('/') else x for x in a.command),
              'cores': len(cores), 'runs': a.repeat, 'wall_s': round(wall, 3), 'cpu_s': round(cpu, 3),
              'cpu_s_min': round(min(r[1] for r in runs), 3), 'cpu_s_max': round(max(r[1] for r in runs), 3),
              'rss_mib': round(max(r[2] for r in runs), 1), 'machine': cpu_name()}
    text = f'{a.name:34s} cpu {cpu:7.2f} s ({result["cpu_s_min"]:.2f} to {result["cpu_s_max"]:.2f})  wall {wall:7.2f} s  rss {result["rss_mib"]:6.1f} MiB'
    if a.lines:
        result['lines'] = a.lines
        result['lines_per_s'] = round(a.lines / (cpu if len(cores) == 1 else wall))
        text += f'  {result["lines_per_s"]:>10,} lines/s'
    busiest = [r[3] for r in runs if r[3] is not None]
    if len(busiest) == len(runs):
        result['cpu_busiest_thread_s'] = round(statistics.median(busiest), 3)
        text += f'  busiest thread {result["cpu_busiest_thread_s"]:.2f} s'
    print(text, flush=True)
    if a.json:
        with open(a.json, 'a') as out:
            out.write(json.dumps(result) + '\n')


main()
