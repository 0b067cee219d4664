// SPDX-License-Identifier: MIT
// main.js - views, the row of controls, and the first drawing.

const views = [
	{ name: 'overview', title: 'Overview', show: overviewView },
	{ name: 'flame', title: 'Flame graph', show: flameView, hasNumber: true },
	{ name: 'sandwich', title: 'Callers and callees', show: sandwichView, hasNumber: true },
	{ name: 'functions', title: 'Functions', show: functionsView, hasNumber: true },
	{ name: 'timeline', title: 'Timeline', show: timelineView, hasNumber: true },
	{ name: 'latency', title: 'Latency', show: latencyView },
	{ name: 'locks', title: 'Locks and waits', show: locksView },
	{ name: 'threads', title: 'Threads', show: threadsView },
	{ name: 'reports', title: 'Reports', show: reportsView },
];

function navFill() {
	byId('views').replaceChildren(el('ul', {}, views.map((view) => el('li', {},
		button(view.title, () => stateSet({ view: view.name }, true), { 'data-view': view.name })))));
}

function metricsFill() {
	const groups = new Map();

	for (const metric of model.metrics) {
		if (!groups.has(metric.group))
			groups.set(metric.group, el('optgroup', { label: metric.group }));
		groups.get(metric.group).append(el('option', { value: metric.name }, `${metric.name}: ${metric.words}`));
	}
	byId('metric').replaceChildren(...groups.values());
}

// ---- what is common to all views -----------------------------------------------------------------------------------

function matchedText() {
	const hits = searchHits(), p = profile();

	if (search.error)
		return search.error;
	if (!hits)
		return '';
	const top = p.cum[state.zoom] > 0 ? state.zoom : 0, sum = matchedIn(p, top, hits);

	return `matched ${percentText(sum, p.cum[top])} (${valueText(p.unit, sum)})`;
}

function controlsShow() {
	const view = views.find((v) => v.name === state.view);

	for (const b of byId('views').querySelectorAll('button'))
		if (b.dataset.view === state.view)
			b.setAttribute('aria-current', 'page');
		else
			b.removeAttribute('aria-current');
	byId('controls').hidden = !view.hasNumber;
	byId('metric').value = state.metric;
	if (byId('search') !== document.activeElement)
		byId('search').value = state.search;
	byId('matched').textContent = matchedText();
	byId('interval').hidden = byId('interval-clear').hidden = state.from === null;
	byId('interval').textContent = state.from === null ? '' : `${nsText(state.from)} – ${nsText(state.to)}`;
}

// The view anew.
function show() {
	const main = byId('main');

	hideTip();
	main.replaceChildren();
	views.find((v) => v.name === state.view).show(main);
	controlsShow();
}

// Only what a search or a zoom changes.
function redraw() {
	for (const flame of [treeFlame, intervalFlame, ...sandwichFlames])
		if (flame && flame.element.isConnected)
			flame.draw();
	controlsShow();
}

function changed(before) {
	const isSearch = before.search !== state.search;
	const isElse = stateKeys.some((key) => key !== 'search' && before[key] !== state[key]);
	const active = document.activeElement, hadFocus = active && active.tagName === 'CANVAS';
	const hadDetail = timelineDetail && active === timelineDetail.canvas;

	if (isSearch && !isElse && state.view !== 'functions') {
		redraw();
		return;
	}
	const flame = state.view === 'timeline' ? intervalFlame : treeFlame, focus = flame ? flame.focus : 0;

	show();
	if (hadDetail && timelineDetail) {
		timelineDetail.canvas.focus({ preventScroll: true });
		return;
	}
	const now = state.view === 'timeline' ? intervalFlame : state.view === 'flame' ? treeFlame : null;

	if (now && hadFocus) {
		now.focus = before.zoom !== state.zoom ? state.zoom : focus;
		now.canvas.focus({ preventScroll: true });
	}
}

// ---- light and dark ------------------------------------------------------------------------------------------------

// A file: has no storage in some browsers; then the choice lasts as long as the page.
function storedTheme(value) {
	try {
		if (value)
			localStorage.setItem('ringside-theme', value);
		return localStorage.getItem('ringside-theme');
	} catch (e) {
		return null;
	}
}

function switchTheme() {
	document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
	storedTheme(document.documentElement.dataset.theme);
	show();
}

// ---- start ---------------------------------------------------------------------------------------------------------

function titleFill() {
	const p = model.report.program, name = visible(baseName(p.exe));

	document.title = `${name} – Ringside`;
	byId('title').textContent = name;
	byId('subtitle').textContent = `${nsText(p.duration_ns)}, ${countText(p.threads)} ${p.threads === 1 ? 'thread' : 'threads'}, ended ${p.end}, ` +
		`${countText(model.report.recording.lost_events)} events lost` +
		(model.base ? `, compared with ${visible(baseName(model.base.path))}` : '') +
		(model.leastShare > 0 ? `, stacks below ${(model.leastShare * 100).toPrecision(2)} % merged` : '');
	byId('footer').textContent = `Recorded on ${visible(model.report.program.host || '?')}, pid ${p.pid}. Made by ringside html; nothing is loaded from elsewhere.`;
}

function listenControls() {
	byId('metric').addEventListener('change', (event) => stateSet({ metric: event.target.value }, true));
	byId('search').addEventListener('input', (event) => stateSet({ search: event.target.value }));
	byId('interval-clear').addEventListener('click', clearInterval_);
	byId('help-open').addEventListener('click', helpOpen);
	byId('theme').addEventListener('click', switchTheme);
	document.querySelector('.skip').addEventListener('click', (event) => {
		event.preventDefault();
		byId('main').focus();
	});
	document.addEventListener('keydown', onKey);
	addEventListener('popstate', stateRestore);
	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
}

function start() {
	const theme = storedTheme();

	if (theme === 'dark' || theme === 'light')
		document.documentElement.dataset.theme = theme;
	load();
	titleFill();
	navFill();
	metricsFill();
	helpFill();
	listenControls();
	Object.assign(state, stateRead(location.hash));
	if (state.from === null || state.to === null || state.from >= state.to)
		state.from = state.to = null;
	show();
	state.listeners.push(changed);
}
