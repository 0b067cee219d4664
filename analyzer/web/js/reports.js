// SPDX-License-Identifier: MIT
// reports.js - pages of `ringside trace` and `ringside heap` as they are.

function cellWords(unit, value) {
	if (value === null)
		return '';
	return unit === 'percent' ? (value * 100).toFixed(2) + '%' : unit === 'number' ? value.toFixed(2) :
		unit === 'address' ? '0x' + value.toString(16) : unit === 'text' ? visible(value) : valueText(unit, value);
}

function reportColumn(column, i) {
	const isText = column.unit === 'text';

	return {
		title: visible(column.title || column.key), unit: isText ? 'text' : column.unit,
		value: (row) => isText ? visible(row[i] ?? '') : row[i] ?? -1,
		text: (row) => shortText(cellWords(column.unit, row[i]), 100),
		hint: isText ? (row) => visible(row[i] ?? '') : null,
	};
}

function reportTable(table) {
	const columns = table.columns.map(reportColumn).filter((c, i) =>
		!table.columns[i].hides_zero || table.rows.some((row) => row[i]));

	// In the order in which the report has them.
	return [makeTable(visible(table.name), columns, table.rows, null), table.notes.map((n) => el('p', { class: 'words' }, visible(n)))];
}

function reportPart(report) {
	return [
		el('h3', {}, report.title), el('p', { class: 'words' }, `${report.words} (ringside ${report.command} ${report.name})`),
		el('dl', { class: 'facts' }, report.facts.map((f) => fact(visible(f.title), cellWords(f.unit, f.value)))),
		report.tables.map(reportTable), report.notes.map((n) => el('p', { class: 'words' }, visible(n))),
	];
}

function reportsView(main) {
	main.append(el('h2', {}, 'Reports'), el('p', { class: 'words' }, `The first ${model.reports.rows_most} rows of each table.`));
	main.append(...model.reports.reports.map(reportPart).flat(Infinity));
	if (!model.reports.reports.length)
		main.append(el('p', { class: 'none' }, 'Nothing was recorded that they could tell of.'));
}
