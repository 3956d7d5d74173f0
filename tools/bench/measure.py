# SPDX-License-Identifier: MIT
"""One run of one workload under one allocator: a fresh process, by launch.c."""
import os
import subprocess
import tempfile

import workloads as registry

TIMEOUT_S = 300


class Failed(Exception):
    """A run that gave no result, with the reason."""


def environment(allocator, real):
    """Little, and the same for all; a real program's script preloads by itself."""
    env = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": os.environ.get("HOME", "/"),
        "LC_ALL": "C.UTF-8",
    }
    env["BENCH_PRELOAD" if real else "LD_PRELOAD"] = allocator.preload
    env.update(allocator.env)
    return env


def command(workload, allocator, build, scratch, quick):
    if workload.group == "real":
        return [registry.real_script(workload), "run", scratch, *workload.arguments(quick)]
    program = os.path.join(build, "bench", "bin", workload.file)
    if workload.group == "api" and not allocator.ours:
        program += "-malloc"
    return [program, *workload.arguments(quick)]


def prepare(workload, scratch, quick):
    """What a real program works on; made once, without any preload."""
    subprocess.run([registry.real_script(workload), "prepare", scratch,
                    *workload.arguments(quick)], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, timeout=TIMEOUT_S)


def handover_ns(build):
    """What a cache line takes from CPU to CPU just now: see handover.c."""
    done = subprocess.run([os.path.join(build, "bench", "handover")], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    return float(done.stdout)


def run(workload, allocator, build, scratch, quick):
    """{"wall", "user", "sys", "cpu" (s), "rss" (kB), "metrics", "samples", "histogram"}"""
    with tempfile.NamedTemporaryFile("r", prefix="bench-") as result:
        launched = [os.path.join(build, "bench", "launch"), result.name,
                    *command(workload, allocator, build, scratch, quick)]
        env = environment(allocator, workload.group == "real")
        # An API workload is linked with the library; its malloc is the system's.
        if workload.group == "api" and allocator.ours:
            del env["LD_PRELOAD"]
        try:
            done = subprocess.run(launched, env=env, stdin=subprocess.DEVNULL, text=True,
                                  capture_output=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as e:
            raise Failed(f"not ended after {TIMEOUT_S} s") from e
        if "cannot be preloaded" in done.stderr:
            raise Failed(done.stderr.strip().splitlines()[0])
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or [""]
            raise Failed(f"exit status {done.returncode} {last[0]}")
        _, wall_ns, user_us, sys_us, rss_kb = (int(x) for x in result.read().split())
    return {"wall": wall_ns / 1e9, "user": user_us / 1e6, "sys": sys_us / 1e6,
            "cpu": (user_us + sys_us) / 1e6, "rss": rss_kb,
            **parse_output(done.stdout if workload.group != "real" else "")}


def parse_output(text):
    """What the workload printed: see bench.h, memory.c, latency.c."""
    out = {"metrics": {}, "samples": [], "histogram": {}}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] == "sample":
            out["samples"].append([int(words[1]), int(words[2])])
        elif len(words) == 4 and words[0] == "histogram":
            out["histogram"].setdefault(words[1], []).append([float(words[2]), int(words[3])])
        elif len(words) == 2:
            out["metrics"][words[0]] = float(words[1])
    return out
