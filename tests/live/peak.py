"""peak.py FILE COMMAND…: runs a command and writes its peak memory in KiB into FILE; ends with the command's exit code.

A process of its own, and a small one: what the kernel counts for a child begins with the memory of the process that forked
it, so a test that holds many documents would measure itself. (Standard library only.)
"""
import os
import subprocess
import sys

process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
with open(sys.argv[1], "w", encoding="ascii") as out:
    out.write(str(usage.ru_maxrss))
sys.exit(process.returncode if process.returncode >= 0 else 128 - process.returncode)
