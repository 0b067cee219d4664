"""machine.py - what the numbers come from: the machine and the tools, without names that belong to somebody."""

import os
import re
import shutil
import subprocess
import time


def first_match(path, pattern):
    try:
        with open(path, errors="replace") as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1).strip() if found else "unknown"


def distribution():
    return first_match("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)')


def describe():
    memory = first_match("/proc/meminfo", r"^MemTotal:\s*(\d+)")
    return {"cpu": first_match("/proc/cpuinfo", r"^model name\s*:\s*(.*)$"), "cores": os.cpu_count(),
            "memory_mib": int(memory) // 1024 if memory.isdigit() else None, "kernel": os.uname().release,
            "arch": os.uname().machine, "distribution": distribution(), "virtual": "hypervisor" in first_match(
                "/proc/cpuinfo", r"^flags\s*:\s*(.*)$").split(),
            "date": time.strftime("%Y-%m-%d", time.gmtime()), "load_before": round(os.getloadavg()[0], 2)}


def version_of(argv):
    """The first version number a command prints about itself, None when there is none."""
    if not shutil.which(argv[0]):
        return None
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout.decode(errors="replace"))
    return found.group(0) if found else None


def versions(command):
    tools = {"ringside": [command, "version"], "heaptrack": ["heaptrack", "--version"],
             "gprofng": ["gprofng", "--version"], "valgrind": ["valgrind", "--version"], "perf": ["perf", "--version"],
             "strace": ["strace", "--version"], "sqlite3": ["sqlite3", "--version"], "jq": ["jq", "--version"],
             "clang++": ["clang++", "--version"], "redis-server": ["redis-server", "--version"],
             "gcc": ["gcc", "-dumpfullversion"]}
    return {name: version for name, argv in tools.items() if (version := version_of(argv))}
