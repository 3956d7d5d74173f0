# SPDX-License-Identifier: MIT
"""The arithmetic of the benchmark, with answers known from outside of it."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/bench"))

import allocators
import analysis
import measure
import stats
import workloads


class Stats(unittest.TestCase):
    def test_median_of_odd_and_even(self):
        self.assertEqual(stats.median([3]), 3)
        self.assertEqual(stats.median([9, 1, 5]), 5)
        self.assertEqual(stats.median([4, 1, 9, 2]), 3)

    def test_median_ignores_one_outlier(self):
        self.assertEqual(stats.median([1.0, 1.1, 50.0]), 1.1)

    def test_median_of_nothing(self):
        with self.assertRaises(ValueError):
            stats.median([])

    def test_spread(self):
        self.assertEqual(stats.spread([2]), 0)
        self.assertEqual(stats.spread([8, 10, 12]), 0.4)
        self.assertEqual(stats.spread([0, 0]), 0)

    def test_geometric_mean(self):
        self.assertAlmostEqual(stats.geometric_mean([2, 8]), 4)
        self.assertAlmostEqual(stats.geometric_mean([0.5, 2.0]), 1)
        self.assertAlmostEqual(stats.geometric_mean([1, 10, 100]), 10)
        self.assertAlmostEqual(stats.geometric_mean([1e-300] * 3 + [1e300] * 3), 1)

    def test_geometric_mean_refuses(self):
        for values in ([], [1, 0], [1, -2]):
            with self.assertRaises(ValueError):
                stats.geometric_mean(values)

    def test_ratios_are_to_the_best_peer_not_to_us(self):
        medians = {"us": 1.0, "a": 2.0, "b": 4.0}
        self.assertEqual(stats.best(medians, ["a", "b"]), ("a", 2.0))
        self.assertEqual(stats.ratios(medians, ["a", "b"]), {"us": 0.5, "a": 1.0, "b": 2.0})

    def test_ratios_need_a_peer(self):
        with self.assertRaises(ValueError):
            stats.ratios({"us": 1.0}, ["a"])

    def test_mean_ratios_only_of_names_in_all_tables(self):
        tables = [{"a": 1.0, "b": 4.0}, {"a": 4.0}]
        self.assertEqual(stats.mean_ratios(tables), {"a": 2.0})
        self.assertEqual(stats.mean_ratios([]), {})


def run_of(wall, rss, **metrics):
    """CPU time is a tenth more than wall time."""
    return {"wall": wall, "cpu": 1.1 * wall, "rss": rss, "metrics": metrics, "samples": [],
            "histogram": {}}


def results_of(workload_runs):
    """{workload: (group, {allocator: [run]})} as run.py would have collected it."""
    return {
        "allocators": {"libkmem": {"ours": True}, "glibc": {"ours": False},
                       "mimalloc": {"ours": False}},
        "workloads": {n: {"group": g, "judged": g not in ("latency", "memory"), "runs": r}
                      for n, (g, r) in workload_runs.items()},
    }


def threads_of(**walls_and_ns):
    """One workload; for each allocator (wall time, what a cache line takes) of its runs."""
    return results_of({"w": ("threads", {
        a: [{**run_of(wall, 1), "handover_ns": ns} for wall, ns in runs]
        for a, runs in walls_and_ns.items()})})


def goal(results, start):
    found = [g for g in analysis.goals(results, "libkmem") if g["what"].startswith(start)]
    assert len(found) == 1, found
    return found[0]


class Goals(unittest.TestCase):
    def setUp(self):
        self.results = results_of({
            "x": ("single", {"libkmem": [run_of(1.0, 100), run_of(3.0, 300), run_of(1.2, 110)],
                             "glibc": [run_of(2.4, 100)], "mimalloc": [run_of(1.2, 220)]}),
            "y": ("single", {"libkmem": [run_of(1.0, 100)],
                             "glibc": [run_of(1.0, 400)], "mimalloc": [run_of(2.0, 100)]}),
        })

    def test_mean_is_compared_with_the_best_mean_of_one_peer(self):
        # Ratios to the best: libkmem 1, 1; glibc 2, 1; mimalloc 1, 2: both peers' mean is sqrt 2.
        g = goal(self.results, "mean wall time, single")
        self.assertAlmostEqual(g["value"], 2 ** -0.5)
        self.assertTrue(g["met"])

    def test_worst_workload_is_named(self):
        self.results["workloads"]["x"]["runs"]["libkmem"] = [run_of(1.8, 100)]
        g = goal(self.results, "any one synthetic, wall")
        self.assertAlmostEqual(g["value"], 1.5)
        self.assertFalse(g["met"])
        self.assertIn("x 1.50", g["note"])
        self.assertNotIn("y", g["note"].replace("over: ", ""))

    def test_least_cpu_time_stands_beside_the_medians(self):
        # Medians of x: libkmem 1.2, glibc 2.4, mimalloc 1.2; least CPU 1.1, 2.64, 1.32.
        self.assertIn("by least CPU time 0.65", goal(self.results, "mean wall time, single")["note"])
        table = analysis.ratios(self.results, "x", analysis.LEAST)
        self.assertAlmostEqual(table["libkmem"], 1 / 1.2)
        self.assertAlmostEqual(table["glibc"], 2)
        self.results["workloads"]["x"]["runs"]["libkmem"] = [run_of(1.8, 100), run_of(1.1, 100)]
        found = [g for g in analysis.goals(self.results, "libkmem")
                 if g["what"].startswith("  the same")]
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0]["met"])
        self.assertAlmostEqual(found[0]["value"], 1)

    def test_memory_against_each_of_two_peers(self):
        # RSS, libkmem 110, 100; glibc 100, 400; mimalloc 220, 100.
        self.assertAlmostEqual(goal(self.results, "mean peak RSS, of mimalloc")["value"], 0.5 ** 0.5)
        self.assertAlmostEqual(goal(self.results, "mean peak RSS, of glibc")["value"],
                               (1.1 * 0.25) ** 0.5)

    def test_idle_memory(self):
        runs = {"libkmem": [run_of(1, 1, rss_start_kb=1000, rss_idle_kb=1500, rss_end_kb=4000)]}
        g = goal(results_of({"memory_small": ("memory", runs)}), "RSS 5 s after")
        self.assertEqual(g["value"], 3000)
        self.assertFalse(g["met"])
        self.assertEqual(g["note"], "memory_small, end")

    def test_latency_is_of_the_best_peer(self):
        runs = {"libkmem": [run_of(1, 1, malloc_p9999_ns=100)],
                "glibc": [run_of(1, 1, malloc_p9999_ns=1000)],
                "mimalloc": [run_of(1, 1, malloc_p9999_ns=250)]}
        g = goal(results_of({"latency": ("latency", runs)}), "p99.99 of malloc")
        self.assertAlmostEqual(g["value"], 0.4)
        self.assertTrue(g["met"])

    def test_flat_cost_is_less_what_the_memory_costs(self):
        runs = {"libkmem": [run_of(1, 1, live_1000_ns=10, live_10000_ns=40, memory_1000_ns=2,
                                   memory_10000_ns=20)]}
        results = results_of({"api_live_most": ("api", runs)})
        self.assertAlmostEqual(goal(results, "cost of an operation, live")["value"], 2.0)
        runs = {"libkmem": [run_of(1, 1, threads_1_ns=10, threads_16_ns=36)]}
        results = results_of({"api_threads": ("api", runs)})
        self.assertAlmostEqual(goal(results, "cost of an operation, threads")["value"], 3.6)

    def test_series_is_in_the_order_of_numbers(self):
        runs = {"libkmem": [run_of(1, 1, threads_16_ns=2, threads_4_ns=1, threads_256_ns=3)]}
        results = results_of({"api_threads": ("api", runs)})
        self.assertEqual(analysis.series(results, "api_threads", "libkmem", "threads"),
                         [(4, 1), (16, 2), (256, 3)])


class Registry(unittest.TestCase):
    def test_each_workload_has_its_program(self):
        for w in workloads.WORKLOADS:
            path = (workloads.real_script(w) if w.group == "real" else
                    os.path.join(workloads.HERE, "workloads", w.file + ".c"))
            self.assertTrue(os.path.exists(path), path)

    def test_each_program_has_its_workload(self):
        used = {w.file for w in workloads.WORKLOADS}
        there = {f[:-2] for f in os.listdir(os.path.join(workloads.HERE, "workloads"))}
        there |= set(os.listdir(os.path.join(workloads.HERE, "real")))
        self.assertEqual(there - used, set())

    def test_names_are_unique_and_groups_known(self):
        names = [w.name for w in workloads.WORKLOADS]
        self.assertEqual(len(names), len(set(names)))
        self.assertLessEqual({w.group for w in workloads.WORKLOADS}, set(workloads.GROUPS))

    def test_only(self):
        self.assertEqual([w.name for w in workloads.chosen("larson")], ["larson"])
        self.assertEqual({w.group for w in workloads.chosen("threads real")}, {"threads", "real"})
        self.assertEqual(len(workloads.chosen("")), len(workloads.WORKLOADS))
        with self.assertRaises(ValueError):
            workloads.chosen("larson no_such_thing")


class Inputs(unittest.TestCase):
    def test_output_of_a_workload(self):
        out = measure.parse_output("a_ns 1.5\nsample 50 1234\nhistogram free 10.0 7\nnoise of words here now\n")
        self.assertEqual(out["metrics"], {"a_ns": 1.5})
        self.assertEqual(out["samples"], [[50, 1234]])
        self.assertEqual(out["histogram"], {"free": [[10.0, 7]]})

    def test_peers(self):
        self.assertEqual(allocators.parse_peers(""), [])
        peer, = allocators.parse_peers(f"mine={__file__}")
        self.assertEqual((peer.name, peer.preload, peer.ours), ("mine", os.path.abspath(__file__), False))
        for wrong in ("mine", "=x", "mine=", "mine=/no/such/file.so"):
            with self.assertRaises(ValueError):
                allocators.parse_peers(wrong)


class Alike(unittest.TestCase):
    """Runs of threads are compared where their CPUs were as far from each other."""

    def test_near_runs_where_all_have_them(self):
        r = threads_of(libkmem=[(1.0, 30), (2.0, 150), (1.2, 33)], glibc=[(1.0, 31), (1.0, 28)],
                       mimalloc=[(1.5, 29), (9.0, 140)])
        self.assertEqual(analysis.medians(r, "w", "wall"),
                         {"libkmem": 1.1, "glibc": 1.0, "mimalloc": 1.5})
        self.assertAlmostEqual(analysis.worst_spread(r, "w", "wall"), .2 / 1.1)

    def test_far_runs_where_most_were(self):
        r = threads_of(libkmem=[(1.0, 30), (2.0, 150), (2.2, 150)],
                       glibc=[(1.0, 31), (3.0, 128), (3.0, 140)],
                       mimalloc=[(4.0, 129), (4.0, 140), (4.0, 140)])
        self.assertEqual(analysis.medians(r, "w", "wall"),
                         {"libkmem": 2.1, "glibc": 3.0, "mimalloc": 4.0})

    def test_all_runs_where_none_are_alike(self):
        r = threads_of(libkmem=[(1.0, 30), (3.0, 30)], glibc=[(2.0, 150)], mimalloc=[(1.0, 31)])
        self.assertEqual(analysis.medians(r, "w", "wall"),
                         {"libkmem": 2.0, "glibc": 2.0, "mimalloc": 1.0})

    def test_all_runs_where_nothing_is_told(self):
        r = threads_of(libkmem=[(1.0, 0), (3.0, 0)], glibc=[(2.0, 0)], mimalloc=[(1.0, 0)])
        self.assertEqual(analysis.medians(r, "w", "wall")["libkmem"], 2.0)
        self.assertEqual(analysis.handover(r), [])


if __name__ == "__main__":
    unittest.main()
