# SPDX-License-Identifier: MIT
"""Which workloads there are, in which group, with which arguments.

A program says itself what it stands for: workloads/NAME.c, real/NAME.
"""
import dataclasses
import fnmatch
import os
import shutil

HERE = os.path.dirname(os.path.abspath(__file__))

# In the order they are run and shown.
GROUPS = ("single", "threads", "real", "api", "pools", "latency", "memory")

QUICK_SCALE = 0.2


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    group: str
    program: str = ""            # if not named as the workload
    args: tuple = ()             # after the scale
    quick_args: tuple = None     # instead of args with QUICK=1
    scale: float = 1.0
    quick_scale: float = QUICK_SCALE
    only_ours: bool = False      # the peers have nothing to compare with
    runs: int = 0                # repetitions, if not those asked for
    idle: bool = False           # mostly asleep: one run, at the same time as all others of this kind

    @property
    def file(self):
        return self.program or self.name

    def arguments(self, quick):
        scale = self.quick_scale if quick else self.scale
        args = self.quick_args if quick and self.quick_args is not None else self.args
        return [str(scale), *args]

    def judged(self):
        """Whether its wall time and peak RSS are results."""
        return self.group in ("single", "threads", "real", "api") and not self.only_ours


def _plain(group, names):
    return [Workload(name, group) for name in names.split()]


def _real(name, script="", *args):
    return Workload(name, "real", script, args, quick_scale=0.4)


def _memory(kind):
    return Workload(f"memory_{kind}", "memory", "memory", (kind, "5000"), quick_scale=0.5,
                    idle=True)


WORKLOADS = (
    _plain("single", "lifo fifo lifetimes powerlaw batches realloc_growth calloc_large"
           " large_blocks strings churn tree cubes bignum aligned startup")
    + _plain("threads", "larson producer_consumer cache_scratch cache_thrash bursts rings"
             " threads256 exchange independent documents")
    + [Workload("births", "threads", quick_scale=0.05)]
    + [_real(name) for name in ("gcc", "sqlite3", "redis", "perl", "git_gc", "node")]
    + [_real(f"{script}{suffix}", script, allocator)
       for allocator, suffix in (("default", ""), ("malloc", "_malloc"))
       for script in ("python_json", "python_dict")]
    + _plain("api", "api_pairs api_bulk api_pages")
    + [
        Workload("api_live", "api", args=("1e6",)),
        Workload("api_live_most", "api", "api_live", ("1e8",), quick_args=("1e7",), runs=1,
                 only_ours=True),
        Workload("api_threads", "api"),
        Workload("api_caches", "api", only_ours=True),
        Workload("api_rcu", "api", only_ours=True),
        Workload("api_ways", "api", only_ours=True),
        Workload("api_mmap", "api", "api_pages", ("mmap",), only_ours=True),
        Workload("pool_arena", "pools"),
        Workload("pool_blocks", "pools"),
        Workload("pool_region", "pools"),
        Workload("latency", "latency"),
        Workload("latency_threads", "latency", "latency", ("4",)),
    ]
    + [_memory(kind) for kind in ("small", "mixed", "large", "threads")]
)


def chosen(patterns):
    """Those whose name or group matches a word of `patterns`; all if there is none."""
    words = patterns.split()
    if not words:
        return list(WORKLOADS)
    for word in words:
        if not any(_matches(w, word) for w in WORKLOADS):
            raise ValueError(f"ONLY: no workload and no group is called '{word}'")
    return [w for w in WORKLOADS if any(_matches(w, word) for word in words)]


def _matches(workload, word):
    return workload.group == word or fnmatch.fnmatchcase(workload.name, word)


def real_script(workload):
    return os.path.join(HERE, "real", workload.file)


def missing(workload):
    """The program that a real workload needs and that is not here, or None."""
    with open(real_script(workload), encoding="utf-8") as script:
        for line in script:
            if line.startswith("# needs:"):
                for program in line.split(":", 1)[1].split():
                    if not shutil.which(program):
                        return program
    return None
