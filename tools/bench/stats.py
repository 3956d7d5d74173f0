# SPDX-License-Identifier: MIT
"""The arithmetic of the benchmark: medians, spreads, ratios, geometric means.

Nothing here knows what was measured. tests/bench/test_stats.py has known answers.
"""
import math


def median(values):
    """The middle value, or the mean of the two in the middle."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("median of nothing")
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) / 2


def spread(values):
    """Largest less smallest, as a share of the median: 0 for one value."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def geometric_mean(values):
    """The n-th root of the product; all values must be positive."""
    values = list(values)
    if not values:
        raise ValueError("geometric mean of nothing")
    if min(values) <= 0:
        raise ValueError("geometric mean of a value that is not positive")
    return math.exp(math.fsum(math.log(v) for v in values) / len(values))


def best(medians, among):
    """(name, value) of the smallest of those medians whose names are in `among`."""
    there = [(value, name) for name, value in medians.items() if name in among]
    if not there:
        raise ValueError("none to compare with")
    value, name = min(there)
    return name, value


def ratios(medians, among):
    """Each median divided by the best of `among`."""
    _, reference = best(medians, among)
    return {name: value / reference for name, value in medians.items()}


def mean_ratios(tables):
    """Geometric mean, for each name, over a list of tables {name: ratio}.

    A name that is missing in one of the tables gets no mean: a mean over fewer
    workloads than another's says nothing beside it.
    """
    if not tables:
        return {}
    names = set(tables[0]).intersection(*tables[1:])
    return {name: geometric_mean(t[name] for t in tables) for name in names}
