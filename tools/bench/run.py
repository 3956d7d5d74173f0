#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py - runs every workload under every allocator and says how they compare.

"make bench" builds the workloads and calls it. The order is workload, repetition,
allocator: what changes on the machine over the minutes changes for all allocators
alike. Each run is a fresh process. See Documentation/process/measuring.rst.
"""
import argparse
import concurrent.futures
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import allocators
import measure
import pictures
import report
import workloads as registry

ROOT = os.path.dirname(os.path.dirname(registry.HERE))


def options():
    p = argparse.ArgumentParser(description="Compares libkmem with other allocators.")
    p.add_argument("--build", default=os.path.join(ROOT, "build"))
    p.add_argument("--peers", default="", metavar="'NAME=PATH ...'", help="further allocators")
    p.add_argument("--only", default="", help="workloads or groups, shell patterns allowed")
    p.add_argument("--runs", type=int, default=0, help="repetitions; 5, or 3 with --quick")
    p.add_argument("--quick", action="store_true", help="small scale: under three minutes")
    p.add_argument("--json", action="store_true", help="results to standard output as JSON")
    given = p.parse_args()
    if given.runs < 0:
        p.error("--runs is a positive number")
    given.runs = given.runs or (3 if given.quick else 5)
    return given


def machine():
    def first_line(path, key):
        with open(path, encoding="utf-8") as f:
            return next((line.split(":", 1)[1].strip() for line in f if line.startswith(key)), "?")

    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"],
                            capture_output=True, text=True, check=False).stdout.strip()
    return {
        "cpu": first_line("/proc/cpuinfo", "model name"),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gb": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 30,
        "kernel": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()),
        "commit": commit or "?",
        "load_before": os.getloadavg()[0],
    }


def say(text):
    print(text, file=sys.stderr, flush=True)


class Session:
    """The results, and what is needed to get them."""

    def __init__(self, given, found):
        self.given = given
        self.allocators = found
        self.results = {
            "machine": machine(), "quick": given.quick, "runs": given.runs,
            "allocators": {a.name: {"ours": a.ours, "preload": a.preload} for a in found},
            "workloads": {}, "skipped": {}, "failed": [],
        }

    def one(self, workload, allocator, scratch):
        def measured():
            return measure.run(workload, allocator, self.given.build, scratch, self.given.quick)

        try:
            if workload.group != "threads":
                return measured()
            before = measure.handover_ns(self.given.build)
            found = measured()
            after = measure.handover_ns(self.given.build)
            return {**found, "handover_ns": (before + after) / 2}
        except measure.Failed as e:
            self.results["failed"].append(f"{workload.name} under {allocator.name}: {e}")
            return None

    def note(self, w, runs):
        self.results["workloads"][w.name] = {"group": w.group, "judged": w.judged(), "runs": runs}

    def workload(self, w, scratch):
        """All of its runs; an allocator that failed once is not tried again."""
        these = [a for a in self.allocators if a.ours or not w.only_ours]
        runs = {a.name: [] for a in these}
        for _ in range(w.runs or self.given.runs):
            for a in list(these):
                r = self.one(w, a, scratch)
                if r:
                    runs[a.name].append(r)
                else:
                    these.remove(a)
        self.note(w, runs)

    def idle_workloads(self, chosen):
        """All at once, under all allocators: only their memory counts, and they sleep."""
        pairs = [(w, a) for w in chosen for a in self.allocators]
        with concurrent.futures.ThreadPoolExecutor(len(pairs)) as pool:
            done = list(pool.map(lambda p: self.one(*p, None), pairs))
        for w in chosen:
            self.note(w, {a.name: [r for p, r in zip(pairs, done) if p == (w, a) and r]
                          for a in self.allocators})

    def run(self, chosen):
        idle = [w for w in chosen if w.idle]
        chosen = [w for w in chosen if not w.idle]
        for number, w in enumerate(chosen, 1):
            if w.group == "real" and registry.missing(w):
                self.results["skipped"][w.name] = f"there is no {registry.missing(w)} here"
                continue
            start = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
                try:
                    if w.group == "real":
                        measure.prepare(w, scratch, self.given.quick)
                    self.workload(w, scratch)
                except (subprocess.SubprocessError, OSError) as e:
                    self.results["failed"].append(f"{w.name}: {e}")
            say(f"[{number}/{len(chosen)}] {w.name} {time.monotonic() - start:.1f} s")
        self.results["machine"]["load_after"] = os.getloadavg()[0]
        if idle:
            say(f"{', '.join(w.name for w in idle)}: all at once")
            self.idle_workloads(idle)


def main():
    given = options()
    try:
        found = allocators.all_allocators(given.build, given.peers)
        chosen = registry.chosen(given.only)
    except ValueError as e:
        sys.exit(f"run.py: {e}")
    session = Session(given, found)
    load = session.results["machine"]["load_before"]
    if load > 0.5:
        say(f"This machine is busy (load average {load:.2f}): take the ratios with care.")
    try:
        session.run(chosen)
    except KeyboardInterrupt:
        say("interrupted: these are the workloads that were done")
        session.results["failed"].append("interrupted")
        session.results["machine"].setdefault("load_after", os.getloadavg()[0])
    results = session.results
    directory = os.path.join(given.build, "bench")
    with open(os.path.join(directory, "results.json"), "w", encoding="utf-8") as f:
        json.dump(results, f, indent=1)
    text = report.text(results)
    with open(os.path.join(directory, "results.txt"), "w", encoding="utf-8") as f:
        f.write(text + "\n")
    drawn = pictures.draw(results, directory)
    if given.json:
        json.dump(results, sys.stdout, indent=1)
    else:
        print(text)
        print(f"\n{directory}/results.json, results.txt, {len(drawn)} pictures *.svg"
              + ("" if shutil.which("gnuplot") else " (there is no gnuplot here)"))
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
