#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make.py - writes jobs.journal.zst: twelve made-up entries as a journal file of systemd.

usage: make.py [systemd-journal-remote]     (Debian: package of that name, /lib/systemd/systemd-journal-remote; and zstd)

The entries go through systemd's own tool in its export format, so that the file is as systemd writes it; version 252 of
Debian 12 made the one that is here. The id of the machine in its head is then replaced by the bytes 0 to 15.
"""
import os
import struct
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
tool = sys.argv[1] if len(sys.argv) > 1 else '/lib/systemd/systemd-journal-remote'
begin_us, step_us = 1764000000000000, 1500000
rows = [{'MESSAGE': b'worker %d took job %d in %d ms' % (i % 3, 100 + i, 5 + i * 7 % 40), 'PRIORITY': b'6',
         'SYSLOG_IDENTIFIER': b'jobd', '_PID': b'%d' % (500 + i % 3), '_SYSTEMD_UNIT': b'jobd.service'} for i in range(12)]
rows[4] = {'MESSAGE': b'Accepted publickey for erika from 10.0.0.7 port 4711', 'PRIORITY': b'6',
           'SYSLOG_IDENTIFIER': b'sshd', '_PID': b'77', '_SYSTEMD_UNIT': b'ssh.service'}
rows[7].update({'MESSAGE': b'disk full: cannot write\n  at store (s.c:12)', 'PRIORITY': b'3'})
rows[9]['MESSAGE'] = b'bad \xff byte'
rows[9]['PRIORITY'] = b'4'
rows[10] = {'MESSAGE': b'no unit, no pid', 'SYSLOG_IDENTIFIER': b'kernel'}


def field(name, value):
    if all(32 <= c < 127 for c in value):
        return name.encode() + b'=' + value + b'\n'
    return name.encode() + b'\n' + struct.pack('<Q', len(value)) + value + b'\n'


text = b''
for i, row in enumerate(rows):
    us = i * step_us
    head = {'__REALTIME_TIMESTAMP': b'%d' % (begin_us + us), '__MONOTONIC_TIMESTAMP': b'%d' % (1000000 + us),
            '_BOOT_ID': b'0123456789abcdef' * 2}
    text += b''.join(field(k, v) for k, v in {**head, **row, '_HOSTNAME': b'node1'}.items()) + b'\n'
path = os.path.join(here, 'jobs.journal')
with open(path + '.export', 'wb') as out:
    out.write(text)
subprocess.run([tool, '--compress=no', '-o', path, path + '.export'], check=True)
with open(path, 'r+b') as f:
    f.seek(40)
    f.write(bytes(range(16)))
subprocess.run(['zstd', '-19', '-q', '-f', '--rm', path], check=True)
os.remove(path + '.export')
