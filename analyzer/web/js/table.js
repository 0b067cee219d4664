// SPDX-License-Identifier: MIT
// table.js - rows that can be ordered by any column, a page of them at a time.

const ROWS_AT_ONCE = 100;

// A column: { bar(row): a share from 0 to 1 is drawn; or title, unit: 'text' | 'bytes' | 'ns' | 'count' | 'percent', value(row), text(row), act(row), hint(row) }.
// order(row) is what is ordered by, where it is not the value. text is what is shown when value alone does not say it; act makes the cell a button,
// where canAct does not object.
function sortedRows(table) {
	if (table.by === null)
		return table.rows;
	const column = table.columns[table.by], sign = table.isDescending ? -1 : 1;

	return table.rows.slice().sort((a, b) => {
		const x = (column.order || column.value)(a), y = (column.order || column.value)(b);

		return (typeof x === 'string' ? x.localeCompare(y) : x - y) * sign;
	});
}

function cellText(column, row) {
	return column.text ? column.text(row) : column.unit === 'text' ? column.value(row) :
		valueText(column.unit, column.value(row));
}

// A share of the largest, as a bar; the number stands beside it.
function barCell(share) {
	const bar = el('div', { class: 'bar', 'aria-hidden': 'true' });

	bar.style.width = share * 100 + '%';
	return el('td', { class: 'barred' }, bar);
}

function tableCell(column, row) {
	if (column.bar)
		return barCell(column.bar(row));
	const text = cellText(column, row), isNumber = column.unit !== 'text';
	const hint = column.hint ? column.hint(row) : null;

	return el('td', { class: isNumber ? 'number' : 'text', title: hint },
		column.act && (!column.canAct || column.canAct(row)) ? button(text, () => column.act(row), { class: 'link' }) : text);
}

function tableHead(table) {
	return el('thead', {}, el('tr', {}, table.columns.map((column, i) => {
		const order = i !== table.by ? 'none' : table.isDescending ? 'descending' : 'ascending';

		if (column.bar)
			return el('td', {});
		return el('th', { scope: 'col', class: column.unit !== 'text' ? 'number' : 'text', 'aria-sort': order },
			button(column.title, () => {
				table.isDescending = i === table.by ? !table.isDescending : column.unit !== 'text';
				table.by = i;
				tableFill(table);
			}));
	})));
}

function tableFill(table) {
	const rows = sortedRows(table), shown = rows.slice(0, table.shown);
	const focused = document.activeElement && table.element.contains(document.activeElement) ? table.by : null;
	const element = el('table', {}, el('caption', {}, table.caption), tableHead(table),
		el('tbody', {}, shown.map((row) => el('tr', {}, table.columns.map((column) => tableCell(column, row))))));

	table.element.replaceChildren(el('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': table.caption },
		element));
	if (!rows.length)
		table.element.append(el('p', { class: 'none' }, table.none || 'Nothing was recorded.'));
	if (rows.length > shown.length)
		table.element.append(button(`${countText(rows.length - shown.length)} more rows`, () => {
			table.shown += ROWS_AT_ONCE * 10;
			tableFill(table);
		}));
	if (focused !== null)
		element.rows[0].cells[focused].querySelector('button').focus();
}

// makeTable - an element; by: index of the column that orders at first, largest first; null: none does.
function makeTable(caption, columns, rows, by, none) {
	const table = { caption, columns, rows, by, isDescending: by !== null && columns[by].unit !== 'text', shown: ROWS_AT_ONCE, none,
		element: el('div', { class: 'table' }) };

	tableFill(table);
	return table.element;
}
