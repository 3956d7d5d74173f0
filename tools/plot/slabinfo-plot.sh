#!/bin/bash
# SPDX-License-Identifier: MIT
# slabinfo-plot - pictures of a recording that "slabinfo record" made, by gnuplot.
#
# Columns are found by their names, in the line "# columns:"; Documentation/mm/views.rst
# describes the form. A last line without its newline, as a recorder that was killed leaves
# it, is passed over. A recording of "slabinfo record --json" is made into text first.
set -u

usage() {
	cat <<-END
		Usage: slabinfo-plot [options] RECORDING
		Draws RSS, live bytes and waste over time, and what the RSS is made of.
		  -o, --output=FILE   the picture; .svg or .png tells its form; default RECORDING.svg
		  -s, --size=WxH      pixels; default 1000x800
		  -t, --title=TEXT    default: the command and process id
		  -w, --what=WHAT     summary, rows or both; default both
		  -h, --help          this text
	END
}

fail() {
	printf 'slabinfo-plot: %s\n' "$1" >&2
	exit 1
}

# ---- options --------------------------------------------------------------------------

parsed=$(getopt -n slabinfo-plot -o o:s:t:w:h -l output:,size:,title:,what:,help -- "$@") || exit 1
eval set -- "$parsed"
output='' size=1000x800 title='' what=both
while :; do
	case $1 in
	-o|--output) output=$2; shift 2 ;;
	-s|--size) size=$2; shift 2 ;;
	-t|--title) title=$2; shift 2 ;;
	-w|--what) what=$2; shift 2 ;;
	-h|--help) usage; exit 0 ;;
	--) shift; break ;;
	esac
done
[ $# = 1 ] || fail "which recording? one FILE; see --help"
recording=$1
[[ $size =~ ^[1-9][0-9]{1,3}x[1-9][0-9]{1,3}$ ]] || fail "\"$size\" is no size such as 1000x800"
case $what in summary|rows|both) ;; *) fail "\"$what\" is none of summary, rows, both" ;; esac
output=${output:-${recording%.*}.svg}
case $output in
*.svg) terminal="svg size ${size/x/,} dynamic background '#ffffff' font 'sans-serif,12'" ;;
*.png) terminal="pngcairo size ${size/x/,} background '#ffffff' font 'sans-serif,11'" ;;
*) fail "$output: neither .svg nor .png" ;;
esac
command -v gnuplot >/dev/null || fail "gnuplot is not installed (Debian: gnuplot-nox)"

# ---- the recording ------------------------------------------------------------------------

[ -r "$recording" ] || fail "$recording: can't be read"
IFS= read -r first <"$recording"
form='' json=''
if [[ $first == "# libkmem recording "* ]]; then
	form=${first#\# libkmem recording }
elif [[ $first =~ ^\{\ *\"libkmem_recording\":\ *([0-9]+)[,\ }] ]]; then
	form=${BASH_REMATCH[1]} json=yes
else
	fail "$recording: not a recording of slabinfo"
fi
[ "$form" = 1 ] || fail "$recording: of a form that this program does not know (recording $form)"

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

if [ -z "$(tail -c 1 "$recording" | tr -d '\n')" ]; then
	cp "$recording" "$dir/whole"
else
	head -n -1 "$recording" >"$dir/whole"
fi || fail "$recording: can't be copied to $dir"

# Objects of numbers, one a line and flat, so that taking away braces, quotes and blanks leaves
# "key:value,...". The first sample gives the columns; of others a "?" stands for what they lack.
# The command of the first line is for the title alone: escapes in it become what reads well.
json_to_text() {
	awk '
	NR == 1 {
		print "# libkmem recording 1"
		if (match($0, /"pid": *[0-9]+/)) {
			pid = substr($0, RSTART, RLENGTH)
			sub(/.*: */, "", pid)
			print "# pid " pid
		}
		if (match($0, /"command": *"([^"\\]|\\.)*"/)) {
			command = substr($0, RSTART, RLENGTH)
			sub(/^"command": *"/, "", command)
			sub(/"$/, "", command)
			gsub(/\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F]/, "?", command)
			gsub(/\\/, "", command)
			print "# command " command
		}
		next
	}
	{
		whole = /^[{].*[}]$/
		gsub(/[{}" ]/, "")
		n = split($0, pair, ",")
		split("", value)
		for (i = 1; i <= n; i++) {
			at = index(pair[i], ":")
			value[substr(pair[i], 1, at - 1)] = substr(pair[i], at + 1)
		}
		if (!whole || !("time" in value) || !("rss" in value)) { print "?"; next }
		if (!columns) {
			text = "# columns:"
			for (i = 1; i <= n; i++) {
				name[++columns] = substr(pair[i], 1, index(pair[i], ":") - 1)
				text = text " " name[columns]
			}
			print text
		}
		text = ""
		for (i = 1; i <= columns; i++)
			text = text (i > 1 ? " " : "") (name[i] in value ? value[name[i]] : "?")
		print text
	}'
}

if [ -n "$json" ]; then
	json_to_text <"$dir/whole" >"$dir/text" && mv "$dir/text" "$dir/whole" || exit 1
fi

# What the pictures need, in MiB: time rss live waste, and rows that belong together. A row that
# the recording lacks counts nothing; a line that is no whole sample is left out.
awk '
BEGIN {
	groups = split("objects;large+pages;rounding+large_rounding+slab_tail;magazines;slab_free+slab_rcu;" \
		"parked;free_pages+page_lists;memmap+zone_maps+percpu+memblock+data;untracked", group, ";")
}
/^# columns: / { for (i = 3; i <= NF; i++) column[$i] = i - 2; columns = NF - 2; next }
/^#/ { next }
!columns || NF < columns { bad++; next }
{
	for (i = 1; i <= columns; i++)
		if ($i !~ /^[0-9]+(\.[0-9]+)?$/) { bad++; next }
	line = sprintf("%.3f %.6f %.6f %.6f", $column["time"], mib("rss"), mib("live"), mib("waste"))
	for (g = 1; g <= groups; g++) {
		n = split(group[g], names, "+")
		sum = 0
		for (k = 1; k <= n; k++)
			sum += mib(names[k])
		line = line sprintf(" %.6f", sum)
	}
	print line
}
function mib(name) { return name in column ? $column[name] / 1048576 : 0 }
END { if (bad) print bad " lines are no samples" >"/dev/stderr" }
' "$dir/whole" >"$dir/data" 2>"$dir/bad"
[ -s "$dir/data" ] || fail "$recording: there is no sample in it"
if [ -s "$dir/bad" ]; then printf 'slabinfo-plot: note: %s: %s\n' "$recording" "$(cat "$dir/bad")" >&2; fi

# One sample is a point and no line; twice makes a line.
if [ "$(wc -l <"$dir/data")" = 1 ]; then
	awk '{ print; $1 += 1; print }' "$dir/data" >"$dir/twice"
	mv "$dir/twice" "$dir/data"
fi

if [ -z "$title" ]; then
	title=$(sed -n 's/^# command //p; /^# columns/q' "$dir/whole" | head -n 1)
	title="$title, pid $(sed -n 's/^# pid //p; /^# columns/q' "$dir/whole" | head -n 1)"
fi
# Quotes and control characters are not gnuplot's to see.
title=$(tr -d '\000-\037\\`' <<<"$title" | sed "s/'/''/g")

# ---- the picture ------------------------------------------------------------------------------

summary="
set title '$title' noenhanced
set ylabel 'MiB'
set yrange [0:*]
plot '$dir/data' using 1:2 with lines lw 2 lc rgb '#333333' title 'RSS of the heap', \\
	'' using 1:3 with lines lw 2 lc rgb '#2ca02c' title 'live', \\
	'' using 1:4 with lines lw 2 lc rgb '#d62728' title 'waste'
"

# Stacked: each is drawn from 0 to the sum of itself and those below it, the highest first.
names=('objects' 'large objects, pages' 'rounding, ends of slabs' 'magazines' 'free in slabs'
	'parked' 'free pages' 'metadata' 'untracked')
colours=('#1f77b4' '#37474f' '#ff7f0e' '#9467bd' '#ffbb78' '#ffab91' '#b0bec5' '#8c564b' '#d62728')
stack='' sum=''
for i in "${!names[@]}"; do
	sum="$sum${sum:+ + }column($((i + 5)))"
	entry="'$dir/data' using 1:($sum) with filledcurves x1 lc rgb '${colours[i]}' title '${names[i]}'"
	stack="$entry${stack:+, $stack}"
done
rows="
set title '$([ "$what" = rows ] && printf '%s: ' "$title")where the RSS is' noenhanced
set ylabel 'MiB'
set xlabel 'seconds'
set yrange [0:*]
plot $stack
"

{
	echo "set terminal $terminal"
	echo "set output '$dir/picture'"
	echo "set key outside right top vertical noenhanced"
	echo "set grid ytics lc rgb '#dddddd'; set lmargin at screen 0.08; set rmargin at screen 0.72"
	case $what in
	summary) echo "set xlabel 'seconds'$summary" ;;
	rows) echo "$rows" ;;
	both) echo "set multiplot layout 2,1$summary$rows"; echo "unset multiplot" ;;
	esac
} >"$dir/commands"
gnuplot "$dir/commands" 2>"$dir/log" || fail "gnuplot: $(head -n 3 "$dir/log" | tr '\n' ' ')"
cp "$dir/picture" "$output" 2>/dev/null || fail "$output: can't be written"
