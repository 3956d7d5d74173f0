# SPDX-License-Identifier: MIT
"""The allocators that are compared, and how a program gets each of them."""
import dataclasses
import glob
import os

# Debian's packages: name in the tables, file.
DEBIAN = (
    ("jemalloc", "libjemalloc.so.2"),
    ("mimalloc", "libmimalloc.so.2.0"),
    ("tcmalloc", "libtcmalloc_minimal.so.4"),
)


@dataclasses.dataclass(frozen=True)
class Allocator:
    name: str
    preload: str          # for LD_PRELOAD
    env: tuple = ()       # further variables, pairs
    ours: bool = False    # libkmem, in any mode; the others are peers


def find_library(file):
    """Its path among the system's libraries, or None."""
    for directory in ("/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib"):
        for path in sorted(glob.glob(os.path.join(directory, file))):
            return path
    return None


def parse_peers(text):
    """'name=path.so ...' as Allocators; ValueError says what is wrong."""
    peers = []
    for word in text.split():
        name, equals, path = word.partition("=")
        if not equals or not name or not path:
            raise ValueError(f"PEERS: '{word}' is not of the form name=path.so")
        if not os.path.isfile(path):
            raise ValueError(f"PEERS: no such file: {path}")
        peers.append(Allocator(name, os.path.abspath(path)))
    return peers


def all_allocators(build, peers_option=""):
    """libkmem in both modes, the system's malloc, Debian's, those of PEERS.

    The system's is preloaded as well, so that it comes before an allocator that
    a program is linked with (Debian's redis-server is, with jemalloc).
    """
    library = os.path.join(build, "libkmem-malloc.so")
    found = [
        Allocator("libkmem", library, ours=True),
        Allocator("fallback", library, (("KMEM_CMDLINE", "rseq=off"),), ours=True),
        Allocator("glibc", "libc.so.6"),
    ]
    for name, file in DEBIAN:
        path = find_library(file)
        if path:
            found.append(Allocator(name, path))
    found += parse_peers(peers_option)
    names = [a.name for a in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"PEERS: '{name}' is there twice")
    return found
