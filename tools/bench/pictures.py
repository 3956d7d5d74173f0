# SPDX-License-Identifier: MIT
"""Pictures by gnuplot, which gets its data and its commands on standard input."""
import glob
import os
import shutil
import subprocess

import analysis
import workloads as registry

HEAD = "set terminal svg size {},{} dynamic background '#ffffff' font 'sans-serif,12'\n" \
       "set output '{}'\nset key outside top center horizontal\nset grid ytics lc rgb '#dddddd'\n"


def _quoted(text):
    return '"' + text.replace("_", " ") + '"'


def _plot(path, width, height, commands):
    subprocess.run(["gnuplot"], input=HEAD.format(width, height, path) + commands, text=True,
                   check=True, timeout=120)


def bars(results, group, what, path):
    """Ratios to the best peer, a cluster for each workload."""
    names = [n for n in analysis.judged(results, (group,)) if analysis.ratios(results, n, what)]
    if not names:
        return False
    columns = list(results["allocators"])
    rows = [" ".join(["workload"] + [_quoted(c) for c in columns])]
    for n in names:
        table = analysis.ratios(results, n, what)
        rows.append(" ".join([_quoted(n)] + [f"{table[c]:.3f}" if c in table else "NaN"
                                             for c in columns]))
    label = "wall time" if what == "wall" else "peak RSS"
    _plot(path, 200 + 90 * len(names), 480,
          "$d << EOD\n" + "\n".join(rows) + "\nEOD\n"
          "set style data histograms\nset style histogram clustered gap 1\n"
          "set style fill solid 0.9 noborder\nset xtics rotate by -35 scale 0\n"
          f"set ylabel '{label}, best peer = 1'\nset yrange [0:3]\n"
          "set arrow from graph 0, first 1 to graph 1, first 1 nohead lc rgb '#000000'\n"
          f"plot for [i=2:{len(columns) + 1}] $d using i:xtic(1) title columnheader(i)\n")
    return True


def lines(curves, path, xlabel, ylabel, extra=""):
    """curves: {title: [(x, y)]}"""
    curves = {t: points for t, points in curves.items() if points}
    if not curves:
        return False
    blocks, plots = [], []
    for i, (title, points) in enumerate(curves.items()):
        blocks.append(f"$c{i} << EOD\n" + "\n".join(f"{x} {y}" for x, y in points) + "\nEOD\n")
        plots.append(f"$c{i} using 1:2 with lines lw 2 title {_quoted(title)}")
    _plot(path, 900, 480, "".join(blocks) + f"set xlabel '{xlabel}'\nset ylabel '{ylabel}'\n"
          + extra + "plot " + ", ".join(plots) + "\n")
    return True


def _tail(histogram):
    """[(ns, share of the calls that took longer)]"""
    total, above, points = sum(n for _, n in histogram), 0, []
    for ns, n in sorted(histogram, reverse=True):
        above += n
        points.append((max(ns, 1), above / total))
    return points[::-1]


def _last_run(results, workload, allocator):
    runs = results["workloads"][workload]["runs"].get(allocator, [])
    return runs[-1] if runs else {"samples": [], "histogram": {}}


def draw(results, directory):
    """All there is data for; returns the paths. None of them where gnuplot is missing."""
    for old in glob.glob(os.path.join(directory, "*.svg")):
        os.unlink(old)          # of a run that may have been of other workloads
    if not shutil.which("gnuplot"):
        return []
    drawn = []

    def path(name):
        return os.path.join(directory, name + ".svg")

    def note(done, name):
        if done:
            drawn.append(path(name))

    for group in registry.GROUPS:
        for what in ("wall", "rss"):
            note(bars(results, group, what, path(f"{what}-{group}")), f"{what}-{group}")
    for name, w in results["workloads"].items():
        if w["group"] == "memory":
            curves = {a: [(ms / 1000, kb / 1024) for ms, kb in _last_run(results, name, a)["samples"]]
                      for a in results["allocators"]}
            note(lines(curves, path(name), "s", "RSS, MiB"), name)
        if w["group"] == "latency":
            for call in ("malloc", "free"):
                curves = {a: _tail(_last_run(results, name, a)["histogram"].get(call, []))
                          for a in results["allocators"]}
                note(lines(curves, path(f"{name}-{call}"), "ns", "share of calls that took longer",
                           "set logscale xy\nset format y '10^{%L}'\n"), f"{name}-{call}")
    for name, prefix, label in (("api_live_most", "live", "live objects"),
                                ("api_threads", "threads", "threads"),
                                ("api_caches", "caches", "caches")):
        curves = {a: analysis.series(results, name, a, prefix) for a in results["allocators"]}
        if prefix == "live":
            curves["memory alone"] = analysis.series(results, name, "libkmem", "memory")
        note(lines(curves, path(name), label, "ns for an alloc and a free",
                   "set logscale x\nset yrange [0:]\n"), name)
    return drawn
