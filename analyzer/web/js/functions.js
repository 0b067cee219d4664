// SPDX-License-Identifier: MIT
// functions.js - the flame graph's numbers as a table.

// Now, before, and by how much it grew.
function diffColumns(p) {
	const now = functionSums(p.diff.now), was = functionSums(p.diff.was);

	return ['flat', 'cum'].flatMap((what) => [
		{ title: what, unit: p.unit, value: (f) => now[what][f] },
		{ title: what + ' before', unit: p.unit, value: (f) => was[what][f] },
		{ title: what + ' change', unit: p.unit, value: (f) => now[what][f] - was[what][f],
			order: (f) => Math.abs(now[what][f] - was[what][f]),
			text: (f) => changeText(p.unit, now[what][f] - was[what][f]) },
	]);
}

function functionsView(main) {
	const p = profile(), { flat, cum } = functionSums(p), was = p.diff && p.diff.was, now = p.diff && p.diff.now, hits = searchHits(), rows = [];

	for (let i = 1; i < model.frames; i++)
		if ((flat[i] > 0 || cum[i] > 0 || (was && functionSums(was).cum[i] + functionSums(now).cum[i] > 0)) && (!hits || hits[i]))
			rows.push(i);
	const columns = [
		{ title: 'Function', unit: 'text', value: (f) => model.functions[f], hint: (f) => model.functions[f],
			text: (f) => shortText(model.functions[f], 110), act: (f) => stateSet({ view: 'sandwich', func: f }, true) },
		{ title: 'Module', unit: 'text', value: moduleText },
		{ title: 'flat', unit: p.unit, value: (f) => flat[f] },
		{ title: 'flat%', unit: 'percent', value: (f) => flat[f], text: (f) => percentText(flat[f], p.total) },
		{ title: 'cum', unit: p.unit, value: (f) => cum[f] },
		{ title: 'cum%', unit: 'percent', value: (f) => cum[f], text: (f) => percentText(cum[f], p.total) },
		{ title: 'File', unit: 'text', value: fileText, text: (f) => baseName(fileText(f)), hint: fileText },
	];

	if (p.diff)
		columns.splice(2, 4, ...diffColumns(p));
	main.append(el('h2', {}, 'Functions'), el('p', { class: 'words' }, flameWords(p) +
		(hits ? `; ${countText(rows.length)} functions match` : '')));
	main.append(makeTable('Functions: flat is spent in it, cum also in what it calls', columns, rows, p.diff ? 4 : 2,
		'Nothing of this number here.'));
}
