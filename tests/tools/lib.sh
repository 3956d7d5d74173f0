# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lib.sh - what the tests of tools/slabinfo have in common: targets that are started and
# stepped, judging, reading what was printed. Sourced; the first argument is the build directory.
cd "$(dirname "$0")/../.." || exit 2
build=$(realpath "${1:-${KMEM_BUILDDIR:-build}}")
slabinfo=$build/tools/slabinfo
dir=$(mktemp -d) || exit 2
out=$dir/out err=$dir/err
CC=${CC:-gcc}
passed=0 failed=0 skipped=0 pids=()
case " ${KMEM_CMDLINE:-} " in *" rseq=off "*) mode=fallback ;; *) mode=rseq ;; esac

cleanup() {
	local p
	for p in ${pids[@]+"${pids[@]}"}; do kill -KILL "$p" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT

ok() { echo "ok - slabinfo: $1"; passed=$((passed + 1)); }
not_ok() { echo "not ok - slabinfo: $1${2:+: $2}"; failed=$((failed + 1)); }
skip() { echo "skip - slabinfo: $1: $2"; skipped=$((skipped + 1)); }

# check TITLE COMMAND... - passes when the command succeeds; its output says why it did not.
check() {
	local title=$1 why
	shift
	if why=$("$@" 2>&1); then ok "$title"; else not_ok "$title" "$(head -c 600 <<<"$why")"; fi
}

# show ARGUMENTS... - slabinfo into $out and $err.
show() { timeout 30 "$slabinfo" "$@" >"$out" 2>"$err"; }

# refused ARGUMENTS... TEXT - exit status 1, one line on stderr, with that text in it, no output.
refused() {
	local text=${*: -1} status
	show "${@:1:$#-1}"
	status=$?
	[ $status = 1 ] || { echo "exit status $status"; return 1; }
	[ "$(wc -l <"$err")" = 1 ] || { echo "not one line on stderr:"; cat "$err"; return 1; }
	[ ! -s "$out" ] || { echo "there is output"; return 1; }
	grep -qF -- "$text" "$err" || { cat "$err"; return 1; }
}

# ---- targets ---------------------------------------------------------------------

# start NAME COMMAND... - runs a target; what it reads and says is at NAME.in and NAME.out.
start() {
	local name=$1
	shift
	mkfifo "$dir/$name.in" "$dir/$name.out"
	"$@" <"$dir/$name.in" >"$dir/$name.out" &
	pid=$!
	pids+=("$pid")
	exec {in}>"$dir/$name.in" {said}<"$dir/$name.out"
	ready
}

# Waits until the target has done its step.
ready() {
	local line
	read -r -t 30 -u "$said" line && [ "$line" = ready ]
}

step() { echo >&"$in" && ready; }

finish() {
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	exec {in}>&- {said}<&-
}

# ---- what is in the output -----------------------------------------------------------

# column NAME N - a column of a cache's line in $out.
column() { awk -v name="$1" -v n="$2" '$1 == name { print $n }' "$out"; }

equal() { [ "$1" = "$2" ] || { echo "$3: $1, not $2"; return 1; }; }

# within A B PERCENT WHAT
within() {
	awk -v a="$1" -v b="$2" -v p="$3" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(d * 100 <= p * b) }' ||
		{ echo "$4: $1 and $2 differ by more than $3 %"; return 1; }
}

# json EXPRESSION - a value of the JSON in $out; d is the document, h its first heap.
json() {
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
h = d["heaps"][0] if "heaps" in d else None
rows = h["rss"]["rows"] if h and h.get("rss") else None
cache = {c["name"]: c for c in h["caches"]} if h and "caches" in h else None
print(eval(sys.argv[2]))' "$out" "$1"
}

process_rss() { awk '$1 == "Rss:" { print $2 * 1024 }' "/proc/$1/smaps_rollup"; }

# ---- setting up ----------------------------------------------------------------------------

need_built() {
	local f
	for f in "$slabinfo" "$build/libkmem.so.0" "$build/libkmem-malloc.so" "$build/libkmem.a"; do
		[ -e "$f" ] || { echo "$0: $f is not built" >&2; exit 2; }
	done
}

# The target with the library it was built with, and one that takes any (target.rpath).
compile_targets() {
	mkdir "$dir/lib"
	$CC -std=gnu11 -Wall -Wextra -O1 -Iinclude tests/tools/target.c -o "$dir/target" \
		-L"$build" -Wl,--disable-new-dtags,-rpath,"$build" -lkmem -pthread &&
	$CC -std=gnu11 -O1 -Iinclude tests/tools/target.c -o "$dir/target.rpath" \
		-L"$build" -lkmem -pthread || exit 2
}

# $checked: slabinfo with sanitizers, where the compiler has them.
checked_build() {
	checked=$slabinfo
	if $CC -std=gnu11 -D_GNU_SOURCE -O1 -fsanitize=address,undefined tools/slabinfo.c \
		tools/verbs/*.c tools/views/{sample,watch}.c tools/inspect/*.c -o "$dir/slabinfo.asan" 2>/dev/null &&
		"$dir/slabinfo.asan" -V >/dev/null 2>&1; then
		checked=$dir/slabinfo.asan
	fi
}

# patched FROM TO - a target that runs on a library whose description says TO for FROM (of the same length).
patched() {
	LC_ALL=C sed "s/$1/$2/" "$build/libkmem.so.0" >"$dir/lib/libkmem.so.0"
	! cmp -s "$build/libkmem.so.0" "$dir/lib/libkmem.so.0" || { echo "nothing to patch"; return 1; }
	start patched env LD_LIBRARY_PATH="$dir/lib" "$dir/target.rpath" objects 100
}

unpatch() { finish; rm -f "$dir"/patched.*; }

# What a process takes and does, as the system accounts it.
footprint() {
	awk '$1 == "Rss:" { print }' "/proc/$pid/smaps_rollup"
	grep -E '^(VmPTE|VmData|voluntary_ctxt_switches|nonvoluntary_ctxt_switches|State)' "/proc/$pid/status"
	awk '{ print "cpu", $14, $15, "faults", $10, $12 }' "/proc/$pid/stat"
}
