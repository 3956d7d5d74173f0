# SPDX-License-Identifier: MIT
"""From runs to medians, ratios, means, and the goals.

`results` is what run.py collects and writes as JSON:

    {"allocators": {name: {"ours": bool, ...}},
     "workloads": {name: {"group": ..., "judged": bool, "runs": {allocator: [run]}}}}

where a run is what measure.run() returns.
"""
import stats

SYNTHETIC = ("single", "threads")
MEMORY_GROUPS = ("single", "threads", "real")
OURS = ("libkmem", "fallback")
LEAST = "least"

# A cost that grows with N may be this many times that of the smallest N, plus the
# cache misses that the memory itself costs.
FLAT = 2.0


def peers(results):
    return [n for n, a in results["allocators"].items() if not a["ours"]]


def judged(results, groups):
    """Names of the workloads of these groups whose time and memory count."""
    return [n for n, w in results["workloads"].items() if w["group"] in groups and w["judged"]]


def alike(results, workload):
    """{allocator: its runs}, of threads such as can be compared.

    Where CPUs may be near each other in one run and far in the next (handover.c), what they
    share costs several times as much. Of the two kinds of runs it is those that every
    allocator has more of; if there are none that all have, all runs.
    """
    runs = results["workloads"][workload]["runs"]
    least = min(handover(results), default=0)
    kinds = [{a: [r for r in rs if is_far(r.get("handover_ns", 0), least) == far]
              for a, rs in runs.items() if rs} for far in (False, True)]
    kinds = [k for k in kinds if all(k.values())]
    return max(kinds, key=lambda k: min(map(len, k.values()), default=0), default=runs)


def handover(results):
    """[ns] of all runs that have it."""
    return [r["handover_ns"] for w in results["workloads"].values()
            for rs in w["runs"].values() for r in rs if r.get("handover_ns")]


def is_far(ns, least):
    """Whether that is of CPUs that share no cache, where the least seen is of such as do."""
    return ns >= 2 * least > 0


def medians(results, workload, what):
    """{allocator: median of wall, user, sys, cpu or rss, or for LEAST the smallest cpu}

    Other work on the machine only ever adds to a run's time. Where it adds more than the
    allocators differ by, the smallest CPU time of several runs still tells them apart.
    """
    pick, figure = (min, "cpu") if what == LEAST else (stats.median, what)
    return {a: pick([r[figure] for r in runs])
            for a, runs in alike(results, workload).items() if runs}


def ratios(results, workload, what):
    """To the best peer; nothing where no peer has a result."""
    try:
        return stats.ratios(medians(results, workload, what), peers(results))
    except ValueError:
        return {}


def worst_spread(results, workload, what):
    figure = "cpu" if what == LEAST else what
    return max(stats.spread([r[figure] for r in runs])
               for runs in alike(results, workload).values() if runs)


def means(results, groups, what):
    """Geometric mean of the ratios over the workloads of the groups, for each allocator."""
    tables = [ratios(results, n, what) for n in judged(results, groups)]
    return stats.mean_ratios([t for t in tables if t])


def metric(results, workload, allocator, name):
    """Median over the runs of a figure that the workload printed; None if it did not."""
    runs = results["workloads"].get(workload, {}).get("runs", {}).get(allocator, [])
    values = [r["metrics"][name] for r in runs if name in r["metrics"]]
    return stats.median(values) if values else None


def series(results, workload, allocator, prefix):
    """[(N, median)] of the metrics PREFIX_N_ns, by N."""
    runs = results["workloads"].get(workload, {}).get("runs", {}).get(allocator, [])
    names = {n for r in runs for n in r["metrics"] if n.startswith(prefix + "_")}
    points = [(int(n.split("_")[1]), metric(results, workload, allocator, n)) for n in names]
    return sorted(points)


# ---- goals ---------------------------------------------------------------------------


def _goal(what, limit, value, note="", unit=""):
    return {"what": what, "limit": limit, "value": value, "unit": unit,
            "met": value <= limit, "note": note}


def _of_best_mean(results, ours, group, what):
    """(our mean ratio over the best peer's, that peer), or None."""
    table = means(results, (group,), what)
    others = {n: v for n, v in table.items() if n in peers(results)}
    if ours not in table or not others:
        return None
    name, value = stats.best(others, others)
    return table[ours] / value, name


def _mean_goal(results, ours, group, limit):
    found = _of_best_mean(results, ours, group, "wall")
    if not found:
        return []
    least, peer = _of_best_mean(results, ours, group, LEAST)
    return [_goal(f"mean wall time, {group}, of the best peer's", limit, found[0],
                  f"best peer: {found[1]}; by least CPU time {least:.2f} of {peer}'s")]


def _worst_goal(results, ours, groups, what, label, limit):
    found = []
    for name in judged(results, groups):
        table = ratios(results, name, what)
        if ours in table:
            found.append((table[ours], name))
    if not found:
        return []
    over = [f"{n} {v:.2f}" for v, n in sorted(found, reverse=True) if v > limit]
    return [_goal(label, limit, max(found)[0], "over: " + ", ".join(over) if over else "")]


def _least_over(results, ours, groups, limit):
    """What is over a limit on wall time by least CPU time as well."""
    return _worst_goal(results, ours, groups, LEAST, "  the same by least CPU time", limit)


def _rss_goals(results, ours):
    table = means(results, MEMORY_GROUPS, "rss")
    return [_goal(f"mean peak RSS, of {peer}'s", limit, table[ours] / table[peer])
            for peer, limit in (("mimalloc", .85), ("glibc", .95))
            if ours in table and peer in table]


def _idle_goal(results, ours):
    left = []
    for name, w in results["workloads"].items():
        if w["group"] != "memory":
            continue
        start = metric(results, name, ours, "rss_start_kb")
        for phase in ("idle", "end"):
            after = metric(results, name, ours, f"rss_{phase}_kb")
            if start is not None and after is not None:
                left.append((after - start, f"{name}, {phase}"))
    return [_goal("RSS 5 s after all is freed, above start", 2048, *max(left), unit=" kB")] if left else []


def _latency_goals(results, ours):
    goals = []
    for name in ("latency", "latency_threads"):
        for call in ("malloc", "free"):
            figure = f"{call}_p9999_ns"
            mine = metric(results, name, ours, figure)
            others = {p: metric(results, name, p, figure) for p in peers(results)}
            others = {p: v for p, v in others.items() if v is not None}
            if mine is not None and others:
                peer, value = stats.best(others, others)
                goals.append(_goal(f"p99.99 of {call}, {name}, of the best peer's", .5,
                                   mine / value, f"{mine:.0f} ns, {peer} {value:.0f} ns"))
    return goals


def _flat_goals(results, ours):
    """How often cost(least N) is in what cost(N) has above the memory's own cost at N."""
    goals = []
    for name, prefix in (("api_live_most", "live"), ("api_threads", "threads"),
                         ("api_threads", "cpus"), ("api_caches", "caches")):
        points = series(results, name, ours, prefix)
        if len(points) < 2:
            continue
        first = points[0][1]
        memory = dict(series(results, name, ours, "memory"))
        value, n = max(((cost - memory.get(n, 0)) / first, n) for n, cost in points[1:])
        goals.append(_goal(f"cost of an operation, {prefix} {points[0][0]} to {points[-1][0]},"
                           " growth", FLAT, value,
                           f"{first:.1f} ns to {dict(points)[n]:.1f} ns at {n}"
                           + (f", {memory[n]:.1f} of it the memory's" if n in memory else "")))
    return goals


# What a way to take an object may cost, in plain ones.
WAYS = (("a sheaf", "sheaf_take_ns", "plain_take_ns", 1.1),
        ("a cache with a constructor", "ctor_take_ns", "plain_take_ns", 1.05),
        ("16 at once, in and out", "bulk_pair_ns", "plain_pair_ns", .4))


def _ways_goals(results, ours):
    goals = []
    for name, figure, base, limit in WAYS:
        mine, plain = (metric(results, "api_ways", ours, f) for f in (figure, base))
        if mine is not None and plain:
            goals.append(_goal(f"object of {name}, of the plain way's time", limit, mine / plain,
                               f"{mine:.2f} ns, plain {plain:.2f} ns"))
    return goals


def goals(results, ours):
    return (_mean_goal(results, ours, "single", .93)
            + _mean_goal(results, ours, "threads", .85)
            + _worst_goal(results, ours, SYNTHETIC, "wall", "any one synthetic, wall time", 1.05)
            + _least_over(results, ours, SYNTHETIC, 1.05)
            + _worst_goal(results, ours, ("real",), "wall", "any real program, wall time", 1.02)
            + _least_over(results, ours, ("real",), 1.02)
            + _rss_goals(results, ours)
            + _worst_goal(results, ours, MEMORY_GROUPS, "rss", "any one workload, peak RSS", 1.10)
            + _idle_goal(results, ours)
            + _latency_goals(results, ours)
            + _flat_goals(results, ours)
            + _ways_goals(results, ours))
