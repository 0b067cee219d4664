#!/bin/bash
# The replay of the critical path against reality: what the program takes when the part is really gone, within 10 %.
. "$(dirname "$0")/lib.sh"
bad=0 crowded=0

# Both recorded, so that what recording costs is on both sides. Runs in which other programs took the CPUs away do not
# count; the best of a few is compared.
took() { # file, arguments of shapes : the time in ns, or nothing
	file=$1
	shift
	ns=$(ringside record -o "$file" -t cpu=1000 -- shapes --rounds 150 "$@" 2>said) || fail "$*: $(cat said)"
	crowded "$file" || echo "$ns"
}

predict() { # shape : verdict, what it takes without the part as predicted and as measured; nothing when crowded
	gone=$(for _ in 1 2 3; do took gone.rsd --shape "$1" --cost 0; done | sort -n | head -1)
	whole=$(took whole.rsd --shape "$1")
	[ -n "$gone" ] && [ -n "$whole" ] || return 0
	saved=$(ringside trace path --json --top 0 whole.rsd |
		jq '[.path[] | select(any(.stack[]?; .function | tostring | startswith("removable"))) | .saved_ns // 0] | add // 0')
	echo "$1 $whole $((whole - saved)) $gone" |
		awk '{ off = $3 - $4; if (off < 0) off = -off; print (off * 10 <= $4 ? "ok" : "BAD"), $1 ": took", $2, "ns, without the part",
			$3, "predicted,", $4, "measured" }'
}

for shape in lock pipeline phases forkjoin semaphore sleeper relay request; do
	said=
	for _ in 1 2 3; do
		got=$(predict $shape)
		[ -z "$got" ] || said=$got
		case $got in ok*) break ;; esac
	done
	echo "${said:-$shape: other programs took the CPUs each time}"
	case $said in
	ok*) ;;
	BAD*) bad=1 ;;
	*) crowded=1 ;;
	esac
done
[ $bad = 0 ] || exit 1
[ $crowded = 0 ] || skip "the machine was too crowded to compare times"
