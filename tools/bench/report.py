# SPDX-License-Identifier: MIT
"""The tables for people."""
import analysis
import stats
import workloads as registry

SHORT = {"wall": ("wall time", "s", 1.0), "cpu": ("CPU time", "s", 1.0),
         analysis.LEAST: ("least CPU time", "s", 1.0),
         "rss": ("peak RSS", "MB", 1e-3)}


def _line(first, cells, last=""):
    return f"{first:20}" + "".join(f"{c:>10}" for c in cells) + f"  {last}".rstrip()


def _ratio(table, name):
    return f"{table[name]:.2f}" if name in table else "-"


def group_table(results, group, what):
    """A row for each workload: ratios to the best peer, which that is, the spread."""
    names = [n for n in analysis.judged(results, (group,)) if analysis.ratios(results, n, what)]
    if not names:
        return []
    title, unit, factor = SHORT[what]
    columns = list(results["allocators"])
    lines = [_line(f"{group}: {title}", columns, "best peer            spread")]
    for name in names:
        table = analysis.ratios(results, name, what)
        peer, value = stats.best(analysis.medians(results, name, what), analysis.peers(results))
        lines.append(_line(name, [_ratio(table, c) for c in columns],
                           f"{peer:10} {value * factor:7.2f} {unit:2}"
                           f"{analysis.worst_spread(results, name, what):6.0%}"))
    means = analysis.means(results, (group,), what)
    lines.append(_line("geometric mean", [_ratio(means, c) for c in columns]))
    return lines


def metric_table(results, workload):
    """A row for each figure that the workload printed, a column for each allocator."""
    runs = results["workloads"][workload]["runs"]
    columns = [a for a in results["allocators"] if runs.get(a)]
    names = []
    for a in columns:
        names += [n for n in runs[a][0]["metrics"] if n not in names]
    if not names:
        return []
    lines = [_line(workload, columns)]
    for name in names:
        values = [analysis.metric(results, workload, a, name) for a in columns]
        lines.append(_line("  " + name, ["-" if v is None else f"{v:.1f}" if v < 1e5 else f"{v:.0f}"
                                         for v in values]))
    return lines


def goal_table(results, ours):
    lines = [f"goals, {ours}:"]
    for g in analysis.goals(results, ours):
        value = f"{g['value']:.0f}" if g["unit"] else f"{g['value']:.2f}"
        limit = f"{g['limit']:.0f}" if g["unit"] else f"{g['limit']:.2f}"
        lines.append(f"  {'met' if g['met'] else 'NOT MET':8}{g['what']:58}"
                     f"{value:>8} (goal {limit}{g['unit']})  {g['note']}".rstrip())
    return lines


def _handover(results):
    ns = analysis.handover(results)
    if not ns:
        return []
    far = sum(analysis.is_far(n, min(ns)) for n in ns)
    return [f"a cache line from CPU to CPU: {min(ns):.0f} to {max(ns):.0f} ns"
            f"; far in {far} of {len(ns)} runs of threads: alike with alike is compared"]


def _machine(results):
    m = results["machine"]
    return [f"{m['cpu']}, {m['cpus']} CPUs, {m['memory_gb']} GB; {m['kernel']}; {m['libc']}",
            f"commit {m['commit']}; {results['runs']} runs"
            + (", quick" if results["quick"] else "")
            + f"; load average before {m['load_before']:.2f}, after {m['load_after']:.2f}",
            *_handover(results)]


def text(results):
    lines = _machine(results)
    lines += ["Ratios to the best peer of the workload, medians; below 1 is better than all peers."]
    for group in registry.GROUPS:
        for what in SHORT:
            table = group_table(results, group, what)
            if table:
                lines += [""] + table
    for name, w in results["workloads"].items():
        if w["group"] in ("api", "pools", "latency", "memory"):
            table = metric_table(results, name)
            if table:
                lines += [""] + table
    if results["skipped"]:
        lines += ["", "skipped:"] + [f"  {n}: {why}" for n, why in results["skipped"].items()]
    if results["failed"]:
        lines += ["", "failed:"] + [f"  {n}" for n in results["failed"]]
    for ours in analysis.OURS:
        if ours in results["allocators"]:
            lines += [""] + goal_table(results, ours)
    return "\n".join(lines)
