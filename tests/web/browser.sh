# What tests of the page need: a browser, what drives it, and drive(). To be sourced after lib.sh.
for name in chromium chromium-browser google-chrome; do
	CHROMIUM=${CHROMIUM:-$(command -v "$name")}
done
[ -n "$CHROMIUM" ] || skip "no chromium here"
command -v node >/dev/null && command -v npm >/dev/null || skip "no node and npm here"
WEB_MODULES=$root/build/tests/web
for name in firefox-esr firefox; do
	FIREFOX=${FIREFOX:-$(command -v "$name")}
done
export CHROMIUM FIREFOX WEB_MODULES

# What drives the browser is installed once, and again when other versions are wanted.
mkdir -p "$WEB_MODULES"
if ! cmp -s "$root/tests/web/package.json" "$WEB_MODULES/package.json" || [ ! -e "$WEB_MODULES/installed" ]; then
	rm -f "$WEB_MODULES/installed"
	cp "$root/tests/web/package.json" "$WEB_MODULES/"
	(cd "$WEB_MODULES" && timeout 200 npm install --no-audit --no-fund --no-package-lock --silent >npm.log 2>&1) ||
		skip "npm could not install what drives the browser"
	touch "$WEB_MODULES/installed"
fi

drive() { # script page [argument]
	timeout 250 node "$root/tests/web/$1" "$dir/$2" ${3:+"$3"} || fail "$1 $2"
}
