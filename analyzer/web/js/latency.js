// SPDX-License-Identifier: MIT
// latency.js - how long waits, tasks and regions took: a histogram, and time x duration as a map of heat.

const HEAT_CELL = 7; // pixels of a row, at least
const HEAT_HEIGHT = 140; // of few rows
const groupWords = { wait: 'Waits', lock: 'Waits for the lock', task: 'Tasks', region: 'Regions' };

// The shortest duration of a row; as web_latency_row in analyzer/web/latency.c.
function rowBegin(row) {
	return row === 0 ? 0 : 2 ** (10 + Math.floor((row - 1) / 4)) * (1 + (row - 1) % 4 / 4);
}

function seriesName(s) {
	return `${s.group} ${visible(s.name)}`;
}

function chosenSeries() {
	const list = model.lanes.latency.series;

	return list[state.series] || list[0];
}

// counts by column and row of what is in the interval; a column that lies partly in it counts whole.
function seriesGrid(s) {
	const l = model.lanes.latency, t = model.time, width = (t.to - t.from) / l.columns;
	const grid = { cells: [], rows: new Float64Array(l.rows), count: 0, most: 0 };

	for (let i = 0, at = 0; i < s.cells.length; i += 2) {
		at += s.cells[i];
		const column = Math.floor(at / l.rows), row = at % l.rows, count = s.cells[i + 1];

		grid.cells.push({ column, row, count });
		grid.most = Math.max(grid.most, count);
		if (state.from === null || (t.from + (column + 1) * width > state.from && t.from + column * width < state.to)) {
			grid.rows[row] += count;
			grid.count += count;
		}
	}
	grid.low = Math.min(...grid.cells.map((c) => c.row));
	grid.high = Math.max(...grid.cells.map((c) => c.row));
	return grid;
}

function percentileOf(grid, percent) {
	let left = grid.count * percent / 100;

	for (let row = 0; row < grid.rows.length; row++) {
		left -= grid.rows[row];
		if (grid.rows[row] && left <= 1e-9)
			return rowBegin(row + 1);
	}
	return 0;
}

function durationText(row) {
	return `${row ? nsText(rowBegin(row)) : '0'} to ${nsText(rowBegin(row + 1))}`;
}

// ---- drawing -------------------------------------------------------------------------------------------------------

// From the ground to strong: more is further away from the ground in both themes.
function heatColor(share) {
	const strength = 0.15 + 0.85 * share;

	return isDark() ? `hsl(${45 - 20 * strength} 90% ${22 + 50 * strength}%)` : `hsl(${30 - 25 * strength} 85% ${88 - 55 * strength}%)`;
}

function heatCell(rows) {
	return Math.max(HEAT_CELL, Math.min(Math.floor(HEAT_HEIGHT / rows), 20));
}

function drawHeat(canvas, grid) {
	const l = model.lanes.latency, rows = grid.high - grid.low + 1, c = canvas.getContext('2d');

	canvas.width = l.columns * 8;
	const height = heatCell(rows);

	canvas.height = rows * height;
	canvas.style.height = Math.max(canvas.height, 40) + 'px';
	for (const cell of grid.cells) {
		c.fillStyle = heatColor(Math.log(1 + cell.count) / Math.log(1 + grid.most));
		c.fillRect(cell.column * 8, (grid.high - cell.row) * height, 8, height);
	}
}

function heatTip(grid, canvas, event) {
	const l = model.lanes.latency, t = model.time, edge = canvas.getBoundingClientRect();
	const column = Math.min(Math.floor((event.clientX - edge.left) * l.columns / edge.width), l.columns - 1);
	const row = grid.high - Math.floor((event.clientY - edge.top) * (grid.high - grid.low + 1) / edge.height);
	const cell = grid.cells.find((c) => c.column === column && c.row === row), width = (t.to - t.from) / l.columns;

	return [durationText(row), `ended between ${nsText(t.from + column * width)} and ${nsText(t.from + (column + 1) * width)}`,
		countText(cell ? cell.count : 0)];
}

// Durations on the left, few enough to be read.
function heatAxis(grid) {
	const rows = grid.high - grid.low + 1, step = Math.max(1, Math.ceil(rows / 6));
	const marks = [];

	for (let row = grid.low; row <= grid.high; row += step) {
		const mark = el('span', {}, row ? nsText(rowBegin(row)) : '0');

		mark.style.bottom = (row - grid.low) * 100 / rows + '%';
		marks.push(mark);
	}
	return el('div', { class: 'axis', 'aria-hidden': 'true' }, marks);
}

function heatMap(s, grid) {
	const canvas = el('canvas', { class: 'heat', role: 'img', 'aria-label': `${seriesName(s)}: durations over time; the table has the numbers` });
	const brush = el('div', { class: 'brush', hidden: true }), area = el('div', { class: 'over' }, brush);
	const box = el('div', { class: 'heatmap' }, heatAxis(grid), el('div', { class: 'field' }, canvas, area), ruler());

	drawHeat(canvas, grid);
	placeBrush(brush, state.from, state.to);
	listenBrush(area, brush, (event) => heatTip(grid, canvas, event));
	return box;
}

// ---- the view ------------------------------------------------------------------------------------------------------

function histogramTable(s, grid) {
	const rows = [], most = Math.max(...grid.rows);
	let sum = 0;

	for (let row = grid.low; row <= grid.high; row++) {
		sum += grid.rows[row];
		rows.push({ row, count: grid.rows[row], sum });
	}
	return makeTable('Histogram', [
		{ title: 'Took', unit: 'ns', value: (r) => r.row, text: (r) => durationText(r.row) },
		{ title: '', unit: 'text', value: () => '', bar: (r) => most ? r.count / most : 0 },
		numberColumn('Times', 'count', (r) => r.count),
		{ title: 'Share', unit: 'percent', value: (r) => r.count, text: (r) => percentText(r.count, grid.count) },
		{ title: 'Up to here', unit: 'percent', value: (r) => r.sum, text: (r) => percentText(r.sum, grid.count) },
	], rows, null);
}

function percentileFacts(s, grid) {
	const isWhole = state.from === null, of = (key, percent) => nsText(isWhole ? s[key] : percentileOf(grid, percent));

	return el('dl', { class: 'facts' }, fact('Times', countText(grid.count)), isWhole ? fact('In all', nsText(s.sum_ns)) : null,
		fact('Median', of('p50_ns', 50)), fact('90 %', of('p90_ns', 90)), fact('99 %', of('p99_ns', 99)), fact('99.9 %', of('p99_9_ns', 99.9)),
		isWhole ? fact('Longest', nsText(s.max_ns)) : null);
}

function latencyWords(s) {
	const block = model.report.recording.block_ns, l = model.lanes.latency;

	return [`${groupWords[s.group]} by how long they took and when they ended.`,
		s.group === 'wait' || s.group === 'lock' ? `Off the CPU, in calls of at least ${nsText(block || 0)}; shorter calls were not recorded one by one.` : null,
		state.from === null ? 'Percentiles are right to 1.6 %.' :
			`Between ${nsText(state.from)} and ${nsText(state.to)}: percentiles are the upper ends of their rows.`,
		l.left_out ? `${countText(l.left_out)} further sorts with smaller sums are not on this page.` : null].filter(Boolean).join(' ');
}

function seriesSelect() {
	const groups = new Map(), series = model.lanes.latency.series, chosen = chosenSeries();

	series.forEach((s, i) => {
		if (!groups.has(s.group))
			groups.set(s.group, el('optgroup', { label: s.group }));
		groups.get(s.group).append(el('option', { value: i, selected: s === chosen },
			`${visible(s.name)}: ${countText(s.count)} times, ${nsText(s.sum_ns)}`));
	});
	return el('p', {}, el('label', { for: 'series' }, 'Durations of '),
		el('select', { id: 'series', onchange: (event) => stateSet({ series: Number(event.target.value) }, true) }, [...groups.values()]));
}

function latencyView(main) {
	const s = chosenSeries();

	main.append(el('h2', {}, 'Latency'));
	if (!s) {
		main.append(el('p', { class: 'none' }, 'No wait, task or region was recorded.'));
		return;
	}
	const grid = seriesGrid(s);

	main.append(seriesSelect(), el('p', { class: 'words' }, latencyWords(s)), percentileFacts(s, grid),
		el('h3', {}, 'Durations over time: darker is more'), heatMap(s, grid), histogramTable(s, grid));
	if (isDark())
		main.querySelector('h3').textContent = 'Durations over time: brighter is more';
	main.append(makeTable('All sorts', [
		{ title: 'Durations of', unit: 'text', value: seriesName, act: (x) => stateSet({ series: model.lanes.latency.series.indexOf(x) }, true) },
		numberColumn('Times', 'count', (x) => x.count), numberColumn('In all', 'ns', (x) => x.sum_ns), numberColumn('Median', 'ns', (x) => x.p50_ns),
		numberColumn('90 %', 'ns', (x) => x.p90_ns), numberColumn('99 %', 'ns', (x) => x.p99_ns), numberColumn('99.9 %', 'ns', (x) => x.p99_9_ns),
		numberColumn('Longest', 'ns', (x) => x.max_ns),
	], model.lanes.latency.series, 2));
}
