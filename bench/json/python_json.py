# SPDX-License-Identifier: Apache-2.0
"""python_json.py FILE - the same documents through Python's json module, user CPU time, median of three."""
import json
import resource
import sys

with open(sys.argv[1], "rb") as f:
    raw = f.read()
documents = [d for d in raw.split(b"\x1e\n") if d]
times = []
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for d in documents:
        json.loads(d)
    times.append(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before)
times.sort()
mb = len(raw) / 1e6
print(json.dumps({"reader": "python " + sys.version.split()[0], "MB": round(mb, 1), "rounds": 3, "user_s": round(times[1], 3), "MB_per_s": round(mb / times[1]),
                  "best": round(mb / times[0]), "worst": round(mb / times[2])}, separators=(",", ":")))
