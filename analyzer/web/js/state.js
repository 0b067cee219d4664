// SPDX-License-Identifier: MIT
// state.js - what is shown stands in the address after '#', so that a reload, a bookmark and "back" find it again.

const state = {
	view: 'overview',
	metric: '',	// name of a metric
	zoom: 0,	// node of the tree
	search: '',
	func: -1,	// frame whose callers and callees are shown
	side: 'new',	// of two recordings the one that has the widths
	series: 0,	// durations of what
	from: null, to: null, // interval in ns since the start, or null
	// Who wants to know; called with the state as it was.
	listeners: [],
};
const stateKeys = ['view', 'metric', 'zoom', 'search', 'func', 'side', 'series', 'from', 'to'];

function stateText() {
	const parts = [];

	for (const key of stateKeys) {
		const value = state[key];

		if (value !== null && value !== '' && !(key === 'side' && value === 'new') && !((key === 'zoom' || key === 'series') && !value) && !(key === 'func' && value < 0))
			parts.push(key + '=' + encodeURIComponent(value));
	}
	return '#' + parts.join('&');
}

function wholeNumber(text, most) {
	const value = Number(text);

	return Number.isInteger(value) && value >= 0 && value < most ? value : null;
}

// An address is typed by people: what makes no sense is left out.
function stateRead(text) {
	const given = new Map();

	for (const part of text.replace(/^#/, '').split('&')) {
		const at = part.indexOf('=');

		try {
			if (at > 0)
				given.set(part.slice(0, at), decodeURIComponent(part.slice(at + 1)));
		} catch (e) {
			continue;
		}
	}
	return {
		view: views.some((v) => v.name === given.get('view')) ? given.get('view') : 'overview',
		metric: model.metrics.some((m) => m.name === given.get('metric')) ? given.get('metric') : model.firstMetric,
		zoom: wholeNumber(given.get('zoom'), model.nodes) || 0,
		search: given.get('search') || '',
		func: wholeNumber(given.get('func') || 'none', model.frames) ?? -1,
		side: model.base && given.get('side') === 'old' ? 'old' : 'new',
		series: wholeNumber(given.get('series'), model.lanes.latency.series.length) || 0,
		from: given.has('to') ? wholeNumber(given.get('from'), model.time.to + 1) : null,
		to: given.has('from') ? wholeNumber(given.get('to'), model.time.to + 1) : null,
	};
}

function stateTell(before) {
	for (const listener of state.listeners)
		listener(before);
}

// stateSet - change some of it. isStep: "back" returns to how it was before.
function stateSet(changes, isStep) {
	const before = { ...state }, text = stateText();

	Object.assign(state, changes);
	if (stateText() === text)
		return;
	history[isStep ? 'pushState' : 'replaceState'](null, '', stateText());
	stateTell(before);
}

function stateRestore() {
	const before = { ...state };

	Object.assign(state, stateRead(location.hash));
	if (state.from === null || state.to === null || state.from >= state.to)
		state.from = state.to = null;
	stateTell(before);
}
