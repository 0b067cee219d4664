// SPDX-License-Identifier: MIT
// keys.js - the keyboard, and the page that lists it.

const keyHelp = [
	['1 … 9', 'the views, from left to right'], ['/', 'search: a regular expression over functions and modules'],
	['m', 'choose the number'], ['arrows', 'in a flame graph: caller, callee, neighbours'], ['Enter', 'zoom to the box'],
	['Backspace', 'zoom out by one'], ['+ and -', 'on tasks and regions: zoom; arrows move'], ['s', 'in a flame graph: callers and callees of the box'],
	['Esc', 'close, clear the search, zoom out'], ['D', 'light or dark'], ['?', 'this list'],
];
const mouseHelp = [
	['click', 'zoom to a box; on the timeline nothing'], ['double-click', 'zoom out; on the timeline: the whole recording'],
	['drag', 'on the timeline: choose an interval'],
];

function helpList(rows) {
	return el('dl', {}, rows.flatMap(([key, words]) => [el('dt', {}, el('kbd', {}, key)), el('dd', {}, words)]));
}

function helpFill() {
	byId('help').replaceChildren(el('h2', { id: 'help-title' }, 'Help'), el('h3', {}, 'Keys'), helpList(keyHelp),
		el('h3', {}, 'Mouse'), helpList(mouseHelp),
		el('p', {}, 'The address holds what is shown: it can be reloaded, kept and sent along with the file.'),
		button('Close', () => byId('help').close()));
}

function helpOpen() {
	hideTip();
	byId('help').showModal();
}

function escape() {
	if (!byId('tip').hidden)
		hideTip();
	if (state.search)
		stateSet({ search: '' });
	else if (state.zoom)
		stateSet({ zoom: 0 }, true);
	else if (state.from !== null)
		clearInterval_();
}

function isTyping(event) {
	return ['INPUT', 'SELECT', 'TEXTAREA'].includes(event.target.tagName);
}

function onKey(event) {
	if (byId('help').open || event.ctrlKey || event.altKey || event.metaKey)
		return;
	if (event.key === 'Escape') {
		escape();
		if (isTyping(event))
			byId('main').focus();
		return;
	}
	if (isTyping(event))
		return;
	const view = views[Number(event.key) - 1];

	if (view)
		stateSet({ view: view.name }, true);
	else if (event.key === '?')
		helpOpen();
	else if (event.key === '/')
		byId('search').focus();
	else if (event.key === 'm')
		byId('metric').focus();
	else if (event.key === 'd' || event.key === 'D')
		switchTheme();
	else
		return;
	event.preventDefault();
}
