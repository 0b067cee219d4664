// SPDX-License-Identifier: MIT
// lanes.js - the chosen interval in detail: tasks on top, then a row for each thread with its regions, and an arrow from
// who woke to who was woken.

const TASK_HEIGHT = 15;
const REGION_HEIGHT = 15;
const TASK_ROWS_MOST = 8;
const DEPTH_MOST = 5;
const DETAIL_THREADS_MOST = 40;
const ARROWS_MOST = 300;
const DETAIL_GAP = 6;

// Begins come as distances; ends and wake-ups are made absolute too.
function loadSpans(spans) {
	let at = model.time.from;

	spans.len = spans.begin.length;
	spans.from = new Float64Array(spans.len);
	spans.to = new Float64Array(spans.len);
	for (let i = 0; i < spans.len; i++) {
		at += spans.begin[i];
		spans.from[i] = at;
		spans.to[i] = at + spans.length[i];
	}
	delete spans.begin;
}

function loadLanes() {
	const lanes = model.lanes = readData('lanes-data');

	for (const spans of [lanes.regions, lanes.tasks, lanes.wakes])
		loadSpans(spans);
	lanes.places = lanes.places.map(visible);
	lanes.task_types = lanes.task_types.map(visible);
	lanes.region_types = lanes.region_types.map(visible);
	placeTasks(lanes.tasks);
}

// Each task goes to the first row that is free again; what finds none is drawn in the last one.
function placeTasks(tasks) {
	const free = [];

	tasks.row = new Uint8Array(tasks.len);
	for (let i = 0; i < tasks.len; i++) {
		let row = free.findIndex((end) => end <= tasks.from[i]);

		if (row < 0)
			row = free.length < TASK_ROWS_MOST ? free.length : TASK_ROWS_MOST - 1;
		free[row] = Math.max(free[row] || 0, tasks.to[i]);
		tasks.row[i] = row;
	}
	tasks.rows = free.length;
}

function hasLanes() {
	const lanes = model.lanes;

	return lanes.tasks.len + lanes.regions.len + lanes.wakes.len > 0;
}

function domain() {
	return state.from === null ? { from: model.time.from, to: model.time.to } : { from: state.from, to: state.to };
}

function spansIn(spans, d) {
	const list = [];

	for (let i = 0; i < spans.len && spans.from[i] < d.to; i++)
		if (spans.to[i] > d.from)
			list.push(i);
	return list;
}

// ---- layout --------------------------------------------------------------------------------------------------------

function namedColor(name) {
	return isDark() ? `hsl(${hueOf(name)} 42% 32%)` : `hsl(${hueOf(name)} 65% 80%)`;
}

// Threads with the most to show, in their usual order; y and height of each.
function layout(detail) {
	const d = detail.domain = domain(), lanes = model.lanes, weight = new Map(), depth = new Map();
	const regions = detail.regions = spansIn(lanes.regions, d), wakes = spansIn(lanes.wakes, d);
	const add = (row, more) => row >= 0 && weight.set(row, (weight.get(row) || 0) + more);

	detail.tasks = spansIn(lanes.tasks, d);
	for (const i of regions) {
		add(lanes.regions.row[i], lanes.regions.length[i]);
		depth.set(lanes.regions.row[i], Math.max(depth.get(lanes.regions.row[i]) || 0, Math.min(lanes.regions.depth[i], DEPTH_MOST - 1) + 1));
	}
	lanes.regions.rest.forEach((rest, row) => {
		if (rest.length)
			add(row, 1);
	});
	detail.wakes = wakes.sort((a, b) => lanes.wakes.length[b] - lanes.wakes.length[a]);
	for (const i of wakes) {
		add(lanes.wakes.row[i], lanes.wakes.length[i]);
		add(lanes.wakes.waker[i], lanes.wakes.length[i]);
	}
	const rows = [...weight.keys()].sort((a, b) => weight.get(b) - weight.get(a));
	let y = (detail.tasks.length ? Math.min(lanes.tasks.rows, TASK_ROWS_MOST) * TASK_HEIGHT + DETAIL_GAP : 0);

	detail.left_out = Math.max(0, rows.length - DETAIL_THREADS_MOST);
	detail.rows = new Map();
	for (const row of rows.slice(0, DETAIL_THREADS_MOST).sort((a, b) => a - b)) {
		const height = STRIP_HEIGHT + (depth.get(row) || 0) * REGION_HEIGHT;

		detail.rows.set(row, { y, height });
		y += height + DETAIL_GAP;
	}
	detail.height = Math.max(y, TASK_HEIGHT);
}

// ---- drawing -------------------------------------------------------------------------------------------------------

function xOf(detail, ns) {
	return (ns - detail.domain.from) * detail.width / (detail.domain.to - detail.domain.from);
}

function drawSpan(detail, spans, i, y, height, name, what) {
	const c = detail.context, x = Math.max(0, xOf(detail, spans.from[i])), end = Math.min(detail.width, xOf(detail, spans.to[i]));
	const w = Math.max(end - x, 0.7), room = Math.floor((w - 6) / detail.charWidth);

	c.fillStyle = namedColor(name);
	c.fillRect(x, y, w - (w > 4 ? 1 : 0), height - 1);
	if (room >= 2) {
		c.fillStyle = detail.colors.text;
		c.fillText(name.length <= room ? name : name.slice(0, room - 1) + '…', x + 3, y + height - 4);
	}
	detail.boxes.push({ x, w, y, h: height, what, i });
}

// The thread's row of the timeline, of which the interval is stretched over the whole width.
function drawThread(detail, row, place) {
	const t = model.time, width = (t.to - t.from) / t.columns, c = detail.context, d = detail.domain;

	detail.scratch.width = t.columns;
	detail.scratch.height = STRIP_HEIGHT;
	drawStrip(detail.scratch, t.threads[row]);
	c.imageSmoothingEnabled = false;
	c.drawImage(detail.scratch, (d.from - t.from) / width, 0, (d.to - d.from) / width, STRIP_HEIGHT, 0, place.y, detail.width, STRIP_HEIGHT);
}

// What is too short to be kept one by one, as a line as high as its share of the column.
function drawRest(detail, row, place) {
	const t = model.time, rest = model.lanes.regions.rest[row], width = (t.to - t.from) / model.lanes.regions.rest_columns;

	detail.context.fillStyle = detail.colors.thin;
	for (let i = 0, column = 0; i < rest.length; i += 2) {
		column += rest[i];
		const x = xOf(detail, t.from + column * width), w = xOf(detail, t.from + (column + 1) * width) - x, h = rest[i + 1] * 4 / 100;

		if (x + w > 0 && x < detail.width)
			detail.context.fillRect(x, place.y + STRIP_HEIGHT - h, w, h);
	}
}

function drawArrow(detail, i) {
	const w = model.lanes.wakes, from = detail.rows.get(w.waker[i]), to = detail.rows.get(w.row[i]), c = detail.context;

	if (!from || !to || from === to)
		return;
	const x = xOf(detail, w.from[i] + w.woken[i]), end = xOf(detail, w.to[i]), down = to.y > from.y;
	const y = from.y + (down ? STRIP_HEIGHT : 0), tip = to.y + (down ? 0 : STRIP_HEIGHT);

	c.beginPath();
	c.moveTo(x, y);
	c.lineTo(end, tip);
	c.stroke();
	c.beginPath();
	c.moveTo(end, tip);
	c.lineTo(end - 3, tip + (down ? -5 : 5));
	c.lineTo(end + 3, tip + (down ? -5 : 5));
	c.fill();
	detail.boxes.push({ x: Math.min(x, end) - 3, w: Math.abs(end - x) + 6, y: Math.min(y, tip), h: Math.abs(tip - y), what: 'wake', i });
}

function drawArrows(detail) {
	const c = detail.context;

	c.strokeStyle = c.fillStyle = detail.colors.text;
	c.lineWidth = 1;
	c.globalAlpha = 0.75;
	detail.wakes.slice(0, ARROWS_MOST).forEach((i) => drawArrow(detail, i));
	c.globalAlpha = 1;
}

function drawDetail(detail) {
	const ratio = devicePixelRatio || 1, c = detail.context, lanes = model.lanes;

	detail.width = detail.canvas.parentNode.clientWidth;
	if (!detail.width)
		return;
	detail.canvas.width = Math.round(detail.width * ratio);
	detail.canvas.height = Math.round(detail.height * ratio);
	detail.canvas.style.height = detail.height + 'px';
	detail.boxes = [];
	detail.colors = themeColors();
	c.setTransform(ratio, 0, 0, ratio, 0, 0);
	c.font = '11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
	detail.charWidth = c.measureText('m').width;
	for (const i of detail.tasks)
		drawSpan(detail, lanes.tasks, i, lanes.tasks.row[i] * TASK_HEIGHT, TASK_HEIGHT, lanes.task_types[lanes.tasks.what[i]], 'task');
	for (const [row, place] of detail.rows) {
		drawThread(detail, row, place);
		drawRest(detail, row, place);
	}
	for (const i of detail.regions) {
		const place = detail.rows.get(lanes.regions.row[i]);

		if (place)
			drawSpan(detail, lanes.regions, i, place.y + STRIP_HEIGHT + Math.min(lanes.regions.depth[i], DEPTH_MOST - 1) * REGION_HEIGHT,
				REGION_HEIGHT, lanes.region_types[lanes.regions.what[i]], 'region');
	}
	drawArrows(detail);
}

// ---- doing ---------------------------------------------------------------------------------------------------------

function threadText(row) {
	return row < 0 ? 'a thread that is not shown' : visible(model.time.threads[row].name);
}

function placeText(place) {
	return place < 0 ? '[no stack]' : model.lanes.places[place];
}

function detailTip(box) {
	const lanes = model.lanes;

	if (box.what === 'wake') {
		const w = lanes.wakes, i = box.i;

		return [`${threadText(w.waker[i])} wakes ${threadText(w.row[i])}`, `${lanes.waits[w.what[i]]}, waited ${nsText(w.length[i])}`,
			`waited in ${placeText(w.at[i])}`, `woken by ${placeText(w.by[i])}`,
			`ran ${nsText(w.length[i] - w.woken[i])} after the wake-up`];
	}
	const spans = box.what === 'task' ? lanes.tasks : lanes.regions, i = box.i;
	const name = (box.what === 'task' ? lanes.task_types : lanes.region_types)[spans.what[i]];

	return [`${box.what} ${name}` + (box.what === 'task' ? ` ${spans.id[i]}` : ''), `${nsText(spans.length[i])} from ${nsText(spans.from[i])}`,
		box.what === 'region' ? threadText(spans.row[i]) : null].filter(Boolean);
}

function detailMove(by, scale) {
	const d = domain(), width = Math.max((d.to - d.from) * scale, 1000), middle = (d.from + d.to) / 2 + (d.to - d.from) * by;

	if (width >= model.time.to - model.time.from)
		clearInterval_();
	else {
		const from = Math.min(Math.max(model.time.from, middle - width / 2), model.time.to - width);

		chooseInterval(from, from + width);
	}
}

function detailKey(event) {
	const moves = { ArrowLeft: [-0.25, 1], ArrowRight: [0.25, 1], '+': [0, 0.5], '=': [0, 0.5], '-': [0, 2] };

	if (event.ctrlKey || event.altKey || event.metaKey || !moves[event.key])
		return;
	event.preventDefault();
	detailMove(...moves[event.key]);
}

function listenDetail(detail) {
	const canvas = detail.canvas, nsOf = (event) => {
		const edge = canvas.getBoundingClientRect();

		return detail.domain.from + Math.max(0, Math.min((event.clientX - edge.left) / edge.width, 1)) * (detail.domain.to - detail.domain.from);
	};
	let begin = null;

	canvas.addEventListener('pointerdown', (event) => {
		begin = event.clientX;
		detail.begin = nsOf(event);
		canvas.setPointerCapture(event.pointerId);
	});
	canvas.addEventListener('pointerup', (event) => {
		if (begin !== null && Math.abs(event.clientX - begin) > 4)
			chooseInterval(detail.begin, nsOf(event));
		begin = null;
	});
	canvas.addEventListener('pointermove', (event) => {
		const edge = canvas.getBoundingClientRect(), x = event.clientX - edge.left, y = event.clientY - edge.top;
		const box = detail.boxes.findLast((b) => x >= b.x && x < b.x + Math.max(b.w, 2) && y >= b.y && y < b.y + b.h);

		if (box)
			showTip(detailTip(box), event.clientX, event.clientY);
		else
			hideTip();
	});
	canvas.addEventListener('pointerleave', hideTip);
	canvas.addEventListener('dblclick', clearInterval_);
	canvas.addEventListener('keydown', detailKey);
}

// ---- the same as numbers -------------------------------------------------------------------------------------------

function wakeRows(detail) {
	const w = model.lanes.wakes, rows = new Map();

	for (const i of detail.wakes) {
		const key = [w.what[i], w.at[i], w.by[i], w.waker[i], w.row[i]].join();

		if (!rows.has(key))
			rows.set(key, { i, times: 0, waited: 0, longest: 0 });
		const row = rows.get(key);

		row.times++;
		row.waited += w.length[i];
		row.longest = Math.max(row.longest, w.length[i]);
	}
	return [...rows.values()];
}

function wakeTable(detail) {
	const w = model.lanes.wakes;

	return makeTable('Who woke whom', [
		textColumn('Waited', (r) => threadText(w.row[r.i]), 28), textColumn('Kind', (r) => model.lanes.waits[w.what[r.i]]),
		textColumn('in', (r) => placeText(w.at[r.i]), 60), textColumn('Woken by', (r) => threadText(w.waker[r.i]), 28),
		textColumn('at', (r) => placeText(w.by[r.i]), 60), numberColumn('Times', 'count', (r) => r.times),
		numberColumn('Waited for', 'ns', (r) => r.waited), numberColumn('Longest', 'ns', (r) => r.longest),
	], wakeRows(detail), 6, 'No wait that another thread of the program ended lies here.');
}

function regionTable(detail) {
	const r = model.lanes.regions, rows = new Map();

	for (const i of detail.regions) {
		const key = r.what[i];
		const row = rows.get(key) || { name: model.lanes.region_types[key], times: 0, ns: 0, longest: 0 };
		const ns = Math.min(r.to[i], detail.domain.to) - Math.max(r.from[i], detail.domain.from);

		rows.set(key, { name: row.name, times: row.times + 1, ns: row.ns + ns, longest: Math.max(row.longest, r.length[i]) });
	}
	return makeTable('Regions', [textColumn('Region', (x) => x.name), numberColumn('Times', 'count', (x) => x.times),
		numberColumn('Time here', 'ns', (x) => x.ns), numberColumn('Longest', 'ns', (x) => x.longest)], [...rows.values()], 2);
}

// How many of how many are drawn, in words.
function detailWords(detail) {
	const lanes = model.lanes, words = ['Drag to choose an interval in it; with the keyboard arrows move and + and - zoom.'];
	const cut = (spans, name) => spans.all > spans.len ?
		`Of ${countText(spans.all)} ${name} the longest ${countText(spans.len)} are here` : null;

	words.push(cut(lanes.tasks, 'tasks'), cut(lanes.wakes, 'wake-ups'));
	if (cut(lanes.regions, 'regions'))
		words.push(cut(lanes.regions, 'regions') + ', the others as a grey line, as high as their share of the time');
	if (detail.wakes.length > ARROWS_MOST)
		words.push(`Arrows are drawn for the ${ARROWS_MOST} longest of ${countText(detail.wakes.length)} waits here`);
	if (detail.left_out)
		words.push(`${countText(detail.left_out)} threads with less to show are left out`);
	return words.filter(Boolean).map((w) => w.replace(/[^.]$/, '$&.')).join(' ');
}

let timelineDetail = null;

function detailLabels(detail) {
	const label = (y, text) => {
		const element = el('div', { class: 'label', title: text }, shortText(text, 24));

		element.style.top = y + 'px';
		return element;
	};

	return [detail.tasks.length ? label(0, 'Tasks') : null, [...detail.rows].map(([row, place]) => label(place.y, threadText(row)))];
}

function detailPart(main) {
	timelineDetail = null;
	if (!hasLanes())
		return;
	const canvas = el('canvas', { tabindex: 0, role: 'application', 'aria-roledescription': 'timeline',
		'aria-label': 'Tasks, regions and wake-ups: arrows move, plus and minus zoom. The tables below have the numbers.' });
	const detail = timelineDetail = { canvas, context: canvas.getContext('2d'), scratch: document.createElement('canvas'), boxes: [] };

	layout(detail);
	detail.draw = oncePerFrame(() => drawDetail(detail));
	listenDetail(detail);
	const labels = el('div', { class: 'labels' }, detailLabels(detail)), room = el('div', { class: 'room' }, canvas);

	labels.style.height = canvas.style.height = detail.height + 'px';
	detail.element = el('div', { class: 'detail', tabindex: 0, role: 'region', 'aria-label': 'Tasks, regions and wake-ups' }, labels, room);
	new ResizeObserver(detail.draw).observe(room);
	main.append(el('h3', {}, 'Tasks, regions and wake-ups'), el('p', { class: 'words' }, detailWords(detail)), detail.element);
	if (model.lanes.regions.len)
		main.append(regionTable(detail));
	if (model.lanes.wakes.len)
		main.append(wakeTable(detail));
	detail.draw();
}
