# What tests of other viewers need: their packages, three recordings and view(). To be sourced after browser.sh.
VIEWER_MODULES=$WEB_MODULES/viewers
export VIEWER_MODULES
npm_install "$root/tests/web/viewers" "$VIEWER_MODULES" || skip "npm could not install the viewers"

# w.rsd has tasks, regions and logs, b.rsd a busy heap and CPU, h.rsd names that are markup, commands to a terminal, no
# UTF-8 and 64 KB long.
markup='</script><script>document.title="owned"</script><img src=x onerror=alert(1)>'
escapes=$'\033[31mred\a\r\n\t\177\xc2\x9b2J\xff\xe2\x80\xae",;=&<b>%s\\'
long=$(printf '%065500d' 0 | tr 0 L)
make_recordings() {
	ringside record -t cpu=250,block=0 -o w.rsd -- workflow --parallel --jobs 40 >/dev/null 2>&1 || fail "record workflow"
	ringside record -t cpu=250 -o b.rsd -- batch --variant naive --items 3000 >/dev/null 2>&1 || fail "record batch"
	echo secret >secret
	objcopy --redefine-sym alloc_of_names="$markup" --redefine-sym wait_of_names="wait$escapes" \
		--redefine-sym hold_of_names="hold$markup" --redefine-sym burn_of_names="$long" --strip-debug \
		"$root/build/tests/programs/names" "$escapes" || fail "objcopy"
	ringside record -t cpu=250,block=0 -o h.rsd -- "./$escapes" "file$escapes" secret "$escapes" >/dev/null 2>err ||
		fail "record names: $(cat err)"
}

view() { # script [arguments]
	script=$1
	shift
	timeout 120 node "$root/tests/web/viewers/$script" "$@" || fail "$script"
}
