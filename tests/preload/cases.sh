#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# cases.sh - ordinary work of ordinary programs, one function a program.
#
#	cases.sh NAME
#
# tests/preload/run calls it in an empty directory, once on the C library's malloc
# and once for each configuration of ours, with LD_PRELOAD set for this shell and
# all that it starts, and compares standard output. What a case prints must
# therefore not change from run to run. Exit status 77: the program is missing.
#
# ROOT is the tree, BIN the directory with the programs built by run.

set -eu
export LC_ALL=C TZ=UTC HOME=$PWD

need() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || { echo "$program" >missing; exit 77; }
	done
}

# In the preloaded runs the library is really there.
if [ -n "${LD_PRELOAD:-}" ] && ! grep -q libkmem-malloc "/proc/$$/maps"; then
	echo "the library is not loaded"
	exit 98
fi

case_bash() {
	local -A map
	local -a list
	local i text=""
	for ((i = 0; i < 3000; i++)); do
		list[i]="element $i"
		map[key$((i % 200))]+="$i,"
		text+="$i "
	done
	for ((i = 0; i < 3000; i += 3)); do unset "list[$i]"; done
	echo "${#list[@]} ${#map[@]} ${#text} ${map[key7]}"
	echo "$(for i in {1..50}; do (echo "sub $i"; exit $((i % 3))) || echo "status $?"; done | cksum)"
	seq 2000 | while read -r n; do echo $((n * n)); done | tail -n 1
	printf '%s\n' {a..f}{0..9}{x,y} | sort -r | md5sum
	eval "f() { local x=\$1; [ \$x -le 0 ] && { echo bottom; return; }; f \$((x - 1)); }; f 200"
	cat <(echo one) <(echo two)
	[[ "abcdefg" =~ b(.*)f ]] && echo "${BASH_REMATCH[1]} ${text//1/one}" | md5sum
}

case_pipelines() {
	seq 200000 | sort -R --random-source=/dev/zero | sort -n | tail -n 1
	seq 1 100000 | awk '{ s[$1 % 1000] = s[$1 % 1000] $1 } END { for (k in s) n += length(s[k]); print n }'
	seq 5000 | xargs -n 50 -P 4 echo | wc -w
	find "$ROOT/include" "$ROOT/mm" -type f -print0 | xargs -0 cat | tr -s '[:space:]' '\n' |
		sort | uniq -c | sort -k1,1nr -k2 | sed -n '1p' >/dev/null
	seq 300000 | sort -r --parallel=4 -S 2M | md5sum
	seq 100000 | gzip -9 | gunzip | md5sum
	seq 50000 >a; sed 's/7/seven/' a >b; diff a b | wc -l
	tar cf - a b | tar tf -
}

case_python3() {
	need python3
	python3 - <<-'PY'
	import collections, gc, json, multiprocessing, os, random, re, subprocess, sys, threading
	random.seed(1)
	data = {str(i): [random.random() for _ in range(10)] for i in range(5000)}
	text = json.dumps(data, sort_keys=True)
	assert json.loads(text) == data
	print(len(text))
	d = {}
	for i in range(400000):
	    d[i % 5000] = str(i) * (i % 7)
	    if i % 3 == 0:
	        d.pop((i * 31) % 5000, None)
	print(len(d))
	results = collections.Counter()
	lock = threading.Lock()
	def work(n):
	    s = set()
	    for i in range(20000):
	        s.add((n, i * 7 % 1013))
	    with lock:
	        results[n] = len(s)
	threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
	[t.start() for t in threads]
	[t.join() for t in threads]
	print(sorted(results.items()))
	print(sum(int(subprocess.run(['sh', '-c', 'echo %d' % i], stdout=subprocess.PIPE).stdout) for i in range(20)))
	def square(x):
	    return sum(len(str(j)) for j in range(x * 100))
	if True:
	    ctx = multiprocessing.get_context('fork')
	    with ctx.Pool(3) as pool:
	        print(pool.map(square, range(40)))
	pid = os.fork()
	if pid == 0:
	    x = [bytearray(1000) for _ in range(10000)]
	    os._exit(len(x) % 256)
	print(os.waitpid(pid, 0)[1])
	print(len(re.sub(r'(\d)\1', 'x', text)) < len(text))
	big = bytearray(50 << 20)
	big.extend(b'x' * (10 << 20))
	print(len(big), big[-1])
	del big
	gc.collect()
	class Node:
	    def __init__(self, n): self.n, self.me = n, self
	nodes = [Node(i) for i in range(50000)]
	del nodes
	print(gc.collect() > 0)
	PY
}

case_perl() {
	need perl
	perl -e '
		my %h; my @a;
		for my $i (0 .. 200000) { $h{"key" . ($i % 5003)} .= $i; push @a, "x" x ($i % 50); delete $h{"key" . ($i % 977)} if $i % 3 == 0; }
		print scalar(keys %h), " ", scalar(@a), "\n";
		my $s = join ",", map { $_ * 2 } 1 .. 100000; print length($s), "\n";
		my @sorted = sort { $a cmp $b } map { "k$_" } 1 .. 50000; print "$sorted[0] $sorted[-1]\n";
		my $n = 0; $n++ while $s =~ /(\d+)2,/g; print "$n\n";
		for (1 .. 20) { my $pid = fork; if (!$pid) { my @x = map { [$_] } 1 .. 1000; exit(scalar(@x) == 1000 ? 0 : 1); } waitpid $pid, 0; print $?; }
		print "\n"; my $b = "y" x (30 << 20); $b .= "z"; print length($b), "\n";'
}

case_gcc() {
	need gcc sha256sum
	gcc -std=gnu11 -O2 -g0 -D_GNU_SOURCE -I"$ROOT" -I"$ROOT/include" -fPIC -c "$ROOT/mm/slub.c" -o slub.o
	sha256sum slub.o
	gcc -std=gnu11 -O3 -D_GNU_SOURCE -I"$ROOT" -I"$ROOT/include" -S "$ROOT/mm/kmalloc.c" -o kmalloc.s
	sha256sum kmalloc.s | cut -c 1-64
	printf '#include <stdio.h>\nint main(void) { puts("linked"); return 0; }\n' >hello.c
	gcc hello.c -o hello
	./hello
	gcc -c "$ROOT/no/such/file.c" 2>/dev/null || echo "refused"
}

case_gxx() {
	need g++ sha256sum
	printf '%s\n' '#include <map>' '#include <regex>' '#include <string>' '#include <vector>' '#include <algorithm>' '#include <iostream>' \
		'int main() { std::map<std::string, std::vector<int>> m; for (int i = 0; i < 1000; i++) m[std::to_string(i % 37)].push_back(i);' \
		'std::regex r("([0-9]+)-([a-z]*)"); std::smatch s; std::string t = "12-ab"; std::cout << std::regex_match(t, s, r) << m.size() << s[2] << std::endl; }' >x.cc
	g++ -std=c++17 -O2 -c x.cc -o x.o
	sha256sum x.o
	g++ x.o -o x
	./x
}

case_clang() {
	need clang sha256sum
	clang -std=gnu11 -O2 -D_GNU_SOURCE -I"$ROOT" -I"$ROOT/include" -c "$ROOT/mm/slub.c" -o slub.o
	sha256sum slub.o
}

case_git() {
	need git
	export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
	git init -q -b main repo
	cd repo
	local i
	for i in 1 2 3 4 5 6 7 8; do
		seq $((i * 1000)) >"file$i"
		seq 5000 | sed "s/$i/x/" >common
		git add -A
		git commit -q -m "commit $i"
	done
	git rev-parse HEAD
	git log --stat | md5sum
	git diff HEAD~5 | md5sum
	git checkout -q -b side HEAD~3
	echo side >side
	git add side
	git commit -q -m side
	git merge -q -m merged main
	git rev-parse HEAD
	git gc -q --aggressive
	git fsck --full 2>/dev/null
	git grep -c 999 main | md5sum
	git clone -q . ../copy
	git -C ../copy rev-parse HEAD
	git blame common | md5sum
	git rm -qr .
	git status --short | wc -l
}

case_sqlite3() {
	need sqlite3
	sqlite3 test.db <<-'SQL'
	create table t(id integer primary key, a integer, b text, c real);
	begin;
	with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
	insert into t select i, i * 7919 % 10007, 'text number ' || i, i / 3.0 from n;
	commit;
	create index t_a on t(a);
	create index t_b on t(b);
	select count(*), sum(a), max(length(b)) from t;
	select a, count(*) from t group by a having count(*) > 6 order by 2 desc, 1 limit 5;
	delete from t where id % 3 = 0;
	update t set b = b || ' changed' where a < 1000;
	vacuum;
	select count(*), total(c), group_concat(id) from (select * from t where b like '%changed' order by id limit 20);
	pragma integrity_check;
	SQL
}

case_redis() {
	need redis-server redis-benchmark redis-cli
	local sock=$PWD/s
	redis-server --port 0 --unixsocket "$sock" --save '' --appendonly no --daemonize no \
		--dir "$PWD" >server.log 2>&1 &
	local server=$! i
	for ((i = 0; i < 100; i++)); do
		redis-cli -s "$sock" ping >/dev/null 2>&1 && break
		sleep 0.1
	done
	redis-benchmark -s "$sock" -q -n 5000 -c 20 -d 100 -r 10000 -t set,get,lpush,sadd,hset,zadd >bench.log
	grep -c 'requests per second' bench.log
	redis-cli -s "$sock" <<-'CMD' | md5sum
	flushall
	eval "for i = 1, 20000 do redis.call('set', 'k' .. i, string.rep('v', i % 300)) end return redis.call('dbsize')" 0
	eval "local n = 0 for i = 1, 20000, 3 do n = n + redis.call('del', 'k' .. i) end return n" 0
	dbsize
	strlen k299
	CMD
	redis-cli -s "$sock" bgsave >/dev/null
	for ((i = 0; i < 100; i++)); do
		redis-cli -s "$sock" info persistence | grep -q 'rdb_bgsave_in_progress:0' && break
		sleep 0.1
	done
	redis-cli -s "$sock" info persistence | grep rdb_last_bgsave_status | tr -d '\r'
	redis-cli -s "$sock" memory purge
	redis-cli -s "$sock" shutdown nosave || true
	wait "$server"
	echo "server: $?"
	grep -ci 'crash\|assert' server.log || true
}

case_node() {
	need node
	cat >w.js <<-'JS'
	const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
	if (!isMainThread) {
		const m = new Map();
		for (let i = 0; i < 50000; i++) m.set('k' + (i * workerData) % 9973, { i, s: 'x'.repeat(i % 40) });
		parentPort.postMessage(m.size);
	} else {
		const data = [];
		for (let i = 0; i < 20000; i++) data.push({ id: i, name: 'name' + i, list: [i, i + 1, i * 2] });
		const text = JSON.stringify(data);
		console.log(text.length, JSON.parse(text)[777].list[2]);
		const bufs = [];
		for (let i = 0; i < 2000; i++) bufs.push(Buffer.alloc(1000 + i, i & 255));
		console.log(Buffer.concat(bufs).length);
		const crypto = require('crypto'), zlib = require('zlib');
		console.log(crypto.createHash('sha256').update(text).digest('hex'));
		console.log(zlib.gunzipSync(zlib.gzipSync(text)).length);
		Promise.all([1, 2, 3, 4].map(n => new Promise((ok, no) => {
			const w = new Worker(__filename, { workerData: n });
			w.on('message', ok); w.on('error', no);
		}))).then(r => console.log(r));
	}
	JS
	node w.js
}

case_valgrind() {
	need valgrind
	local tool
	for tool in none memcheck; do
		valgrind --tool=$tool --error-exitcode=9 -q "$BIN/processes" fork 3 2>vg.log || {
			echo "valgrind $tool: status $?"
			head -n 30 vg.log
		}
	done
	valgrind -q --error-exitcode=9 "$BIN/limits" threads 30 2>vg.log || head -n 30 vg.log
}

case_gdb() {
	need gdb
	gdb -q -batch -ex 'break puts' -ex run -ex 'call (long)malloc_usable_size((void *)malloc(100)) >= 100' -ex kill \
		"$BIN/deny" >/dev/null 2>&1 || true
	gdb -q -batch -ex 'print 6 * 7' 2>/dev/null
}

# A program at its limit is told so, lets go, and works on. The C library's malloc
# gets a limit of the system's.
case_limit() {
	need python3
	KMEM_CMDLINE="${KMEM_CMDLINE:-} limit=64M" python3 - <<'END'
import os
import resource

if "LD_PRELOAD" not in os.environ:
    resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
for size in 100, 3000, 100000, 10 << 20:
    try:
        kept = []
        while True:
            kept.append(bytes(size))
    except MemoryError:
        kept = None
        print("no more of", size)
print(sum(len(str(i)) for i in range(100000)))
END
}

case_lifetime() {
	"$BIN/lifetime" "$BIN/plugin.so"
}

case_fork() {
	"$BIN/processes" fork 250
}

case_vfork() {
	"$BIN/processes" vfork 200
}

case_spawn() {
	"$BIN/processes" spawn 100
}

case_operators() {
	"$BIN/operators"
}

case_threads() {
	"$BIN/limits" threads 1000
}

"case_$1"
