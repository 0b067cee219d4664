// SPDX-License-Identifier: MIT
// source.js - the lines around the hottest ones of a function, as they stood in the files when the page was made.

function loadSource(metricNames) {
	const source = model.source = readData('source-data');

	source.files.forEach((file) => (file.path = visible(file.path)));
	source.lines = source.lines.map(([file, line, name, ...numbers]) => ({ file, line, name: visible(name),
		numbers: new Map(metricNames.map((metric, i) => [metric, { flat: numbers[2 * i], cum: numbers[2 * i + 1] }])) }));
}

function sourceNotes() {
	const source = model.source, count = source.files.reduce((sum, file) => sum + file.ranges.reduce((s, r) => s + r.length - 1, 0), 0);

	if (!source.is_wanted)
		return ['No source is on this page, as was asked for.'];
	return [`${countText(count)} lines of ${countText(source.files.length)} source files are on this page: ${source.around} around each line that ` +
		`has ${percentText(source.least_share, 1)} or more of some number, the hottest first. --no-source leaves them out.` +
		(source.files_left_out ? ` ${countText(source.files_left_out)} files that symbols name could not be read, or had no room.` : '')];
}

function sourceLine(number, text, here, unit) {
	return el('tr', { class: here ? 'hot' : null },
		el('td', { class: 'number' }, String(number)), el('td', { class: 'number' }, here && here.flat ? valueText(unit, here.flat) : ''),
		el('td', { class: 'number' }, here && here.cum ? valueText(unit, here.cum) : ''),
		el('td', { class: 'code' }, visible(text.replace(/\t/g, '    '))));
}

function numbersAt(lines, number) {
	const at = lines.filter((line) => line.line === number), sum = { flat: 0, cum: 0 };

	for (const line of at) {
		const numbers = line.numbers.get(state.metric);

		if (!numbers)
			continue;
		sum.flat += numbers.flat;
		sum.cum += numbers.cum;
	}
	return at.length ? sum : null;
}

// What is near the function's own lines; others of the file are there for other functions.
function sourceRows(file, lines, unit) {
	const rows = [], gap = () => el('tr', {}, el('td', { class: 'number' }, '…'), el('td', {}), el('td', {}), el('td', {}));
	let last = 0;

	for (const [first, ...texts] of file.ranges)
		texts.forEach((text, i) => {
			const number = first + i;

			if (!lines.some((line) => Math.abs(line.line - number) <= model.source.around))
				return;
			if (last && number !== last + 1)
				rows.push(gap());
			rows.push(sourceLine(number, text, numbersAt(lines, number), unit));
			last = number;
		});
	return rows;
}

function sourceTable(file, lines, unit) {
	const head = ['Line', 'flat', 'cum'].map((title) => el('th', { scope: 'col', class: 'number' }, title));

	return el('div', { class: 'wide source', tabindex: 0, role: 'region', 'aria-label': 'Source ' + file.path },
		el('table', {}, el('caption', {}, file.path), el('thead', {}, el('tr', {}, head, el('th', { scope: 'col' }, 'Source'))),
			el('tbody', {}, sourceRows(file, lines, unit))));
}

// What can be shown of a function; nothing when its files could not be read.
function sourcePart(p, func) {
	const lines = model.source.lines.filter((line) => line.name === model.functions[func]);
	const files = [...new Set(lines.map((line) => line.file))];

	if (!files.length)
		return [];
	return [el('h3', {}, 'Source'), el('p', { class: 'words' }, 'As the file was when this page was made; numbers are of the whole recording.'),
		files.map((file) => sourceTable(model.source.files[file], lines.filter((line) => line.file === file), p.unit))].flat();
}
