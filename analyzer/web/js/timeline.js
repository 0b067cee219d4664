// SPDX-License-Identifier: MIT
// timeline.js - a row for each thread, the heap above them, and an interval chosen with the mouse, whose stacks are
// shown below.

const STRIP_HEIGHT = 16;
const CURVE_HEIGHT = 64;

// Draw one thread: each column is split by what the thread did in it, CPU at the bottom.
function drawStrip(canvas, thread) {
	const c = canvas.getContext('2d'), doings = model.time.doings, dark = isDark();
	let column = 0;

	c.clearRect(0, 0, canvas.width, canvas.height);
	for (let i = 0; i < thread.runs.length;) {
		const columns = thread.runs[i++], mask = thread.runs[i++];
		let y = STRIP_HEIGHT;

		for (let d = 0; d < doings.length; d++) {
			if (!(mask >> d & 1))
				continue;
			const h = thread.runs[i++] * STRIP_HEIGHT / 100;

			y -= h;
			c.fillStyle = dark && doings[d] === 'idle' ? '#3a3f47' : dark && doings[d] === 'unknown' ? '#16181c' :
				doingColors[doings[d]];
			c.fillRect(column, y, columns, h);
		}
		column += columns;
	}
}

function strip(thread) {
	const canvas = el('canvas', { class: 'strip', width: model.time.columns, height: STRIP_HEIGHT, 'aria-hidden': 'true' });

	drawStrip(canvas, thread);
	return canvas;
}

// ---- the heap ------------------------------------------------------------------------------------------------------

function curveLine(c, points, most, value, color, isFilled) {
	const t = model.time, width = t.columns, x = (ns) => (ns - t.from) * width / (t.to - t.from);
	let last = 0;

	c.beginPath();
	c.moveTo(0, CURVE_HEIGHT);
	for (const point of points) {
		const v = value(point);

		if (v === null || v === undefined)
			continue;
		last = CURVE_HEIGHT - v * (CURVE_HEIGHT - 4) / most;
		c.lineTo(x(point.ns), last);
	}
	c.lineTo(width, last);
	if (isFilled) {
		c.lineTo(width, CURVE_HEIGHT);
		c.fillStyle = color;
		c.fill();
	} else {
		c.strokeStyle = color;
		c.lineWidth = 1.5;
		c.stroke();
	}
}

function curveRow(title, hint, value, most, color, isFilled) {
	const canvas = el('canvas', { class: 'curve', width: model.time.columns, height: CURVE_HEIGHT, role: 'img',
		'aria-label': `${title} over time, ${hint}` });

	curveLine(canvas.getContext('2d'), model.time.heap.points, most || 1, value, color, isFilled);
	return [el('div', { class: 'label' }, title, el('small', {}, hint)), canvas];
}

function curves() {
	const heap = model.time.heap, colors = themeColors();

	if (!heap.points || !heap.points.length)
		return [];
	const live = Math.max(...heap.points.map((p) => p.peak_bytes)), rss = Math.max(...heap.points.map((p) => p.rss_bytes || 0));
	const rows = curveRow('Heap live', 'peak ' + bytesText(live), (p) => p.peak_bytes, live, colors.curve, true);

	return rss ? [...rows, ...curveRow('Resident', 'peak ' + bytesText(rss), (p) => p.rss_bytes, rss, colors.curve2, false)] : rows;
}

// ---- choosing an interval ------------------------------------------------------------------------------------------

function chooseInterval(from, to) {
	const t = model.time, a = Math.max(t.from, Math.round(Math.min(from, to))), b = Math.min(t.to, Math.round(Math.max(from, to)));

	if (b > a)
		stateSet({ from: a, to: b }, true);
}

function clearInterval_() {
	stateSet({ from: null, to: null }, true);
}

function placeBrush(brush, from, to) {
	const t = model.time, whole = t.to - t.from || 1;

	brush.hidden = from === null;
	if (from === null)
		return;
	brush.style.left = (from - t.from) * 100 / whole + '%';
	brush.style.width = (to - from) * 100 / whole + '%';
}

function nsAt(area, event) {
	const edge = area.getBoundingClientRect(), t = model.time;

	return t.from + Math.max(0, Math.min((event.clientX - edge.left) / edge.width, 1)) * (t.to - t.from);
}

// tip: what to tell of a place; lines of text.
function listenBrush(area, brush, tip) {
	let begin = null;

	area.addEventListener('pointerdown', (event) => {
		begin = nsAt(area, event);
		area.setPointerCapture(event.pointerId);
	});
	area.addEventListener('pointermove', (event) => {
		const at = nsAt(area, event);

		showTip(tip(event, at), event.clientX, event.clientY);
		if (begin !== null)
			placeBrush(brush, Math.min(begin, at), Math.max(begin, at));
	});
	area.addEventListener('pointerleave', hideTip);
	area.addEventListener('pointerup', (event) => {
		const from = begin, to = nsAt(area, event);

		begin = null;
		if (from === null || Math.abs(to - from) < (model.time.to - model.time.from) / 500)
			placeBrush(brush, state.from, state.to);
		else
			chooseInterval(from, to);
	});
	area.addEventListener('dblclick', clearInterval_);
}

// What the thread under the mouse did in that column.
function stripTip(area, event, at) {
	const lines = [nsText(at)], row = [...area.parentNode.querySelectorAll('canvas.strip')].findIndex((canvas) => {
		const edge = canvas.getBoundingClientRect();

		return event.clientY >= edge.top && event.clientY < edge.bottom;
	});
	const thread = model.time.threads[row], t = model.time;

	if (!thread)
		return lines;
	const column = Math.min(Math.floor((at - t.from) * t.columns / (t.to - t.from)), t.columns - 1);

	lines.push(visible(thread.name));
	for (let i = 0, c = 0; i < thread.runs.length && c <= column;) {
		const isHere = column < c + thread.runs[i], mask = thread.runs[i + 1];

		c += thread.runs[i];
		i += 2;
		for (let d = 0; d < t.doings.length; d++)
			if (mask >> d & 1) {
				if (isHere)
					lines.push(`${thread.runs[i]} % ${doingWords[t.doings[d]]}`);
				i++;
			}
	}
	return lines;
}

function secondsInput(id, label, ns) {
	return [el('label', { for: id }, label),
		el('input', { id, type: 'number', step: 'any', min: 0, value: (ns / 1e9).toFixed(6) })];
}

function intervalForm() {
	const t = model.time, from = state.from ?? t.from, to = state.to ?? t.to;

	return el('form', { class: 'interval', onsubmit: (event) => {
		event.preventDefault();
		chooseInterval(byId('from').value * 1e9, byId('to').value * 1e9);
	} }, secondsInput('from', 'Interval from', from), secondsInput('to', 'to', to), ' s ',
	el('button', { type: 'submit' }, 'Show'), button('Whole', clearInterval_));
}

// ---- the view ------------------------------------------------------------------------------------------------------

function legend() {
	const there = model.time.doings.filter((name, d) => model.time.threads.some((thread) => thread.ns[d] > 0));

	return el('ul', { class: 'legend' }, there.map((name) => {
		const swatch = el('span', { class: 'swatch' });

		swatch.style.background = isDark() && name === 'unknown' ? '#16181c' : isDark() && name === 'idle' ? '#3a3f47' : doingColors[name];
		return el('li', {}, swatch, name + ': ' + doingWords[name]);
	}));
}

function ruler() {
	const t = model.time, ticks = [];

	for (let i = 0; i <= 4; i++) {
		const tick = el('span', { class: i === 4 ? 'last' : '' }, nsText(t.from + (t.to - t.from) * i / 4));

		tick.style.left = i * 25 + '%';
		ticks.push(tick);
	}
	return [el('div', { class: 'label' }), el('div', { class: 'ruler', 'aria-hidden': 'true' }, ticks)];
}

function threadRows() {
	return model.time.threads.flatMap((thread) => [
		el('div', { class: 'label', title: visible(thread.name) }, shortText(visible(thread.name), 24)), strip(thread)]);
}

function lanes() {
	const brush = el('div', { class: 'brush', hidden: true }), area = el('div', { class: 'area' }, brush);

	placeBrush(brush, state.from, state.to);
	listenBrush(area, brush, (event, at) => stripTip(area, event, at));
	return el('div', { class: 'lanes', tabindex: 0, role: 'region', 'aria-label': 'Timeline; the view Threads has its numbers' },
		el('div', { class: 'grid' }, ruler(), curves(), threadRows(), area));
}

let intervalFlame = null;

// What ran or waited meanwhile; a number of the heap is not known for intervals, so CPU time stands in for it.
function intervalPart(main) {
	const known = ['cpu', 'blocked', 'blocked_busy'].filter(metricByName);

	intervalFlame = null;
	if (!known.length)
		return;
	if (!known.includes(state.metric))
		Object.assign(state, { metric: known[0] });
	const p = profile();

	byId('metric').value = state.metric;
	main.append(el('h3', {}, state.from === null ? 'Stacks of the whole recording' : 'Stacks of the interval'),
		el('p', { class: 'words' }, flameWords(p)),
		el('div', { class: 'actions' }, known.map((name) => button(metricByName(name).words, () =>
			stateSet({ metric: name }, true), { 'aria-pressed': String(state.metric === name) }))));
	if (!(p.total > 0)) {
		main.append(el('p', { class: 'none' }, 'No sample and no recorded wait lies in it.'));
		return;
	}
	const zoom = p.cum[state.zoom] > 0 ? state.zoom : 0;

	intervalFlame = makeFlame(treeSource(p), zoom, (node) => stateSet({ zoom: node }, true), 'Flame graph of the interval');
	main.append(intervalFlame.element);
	intervalFlame.draw();
}

function timelineView(main) {
	main.append(el('h2', {}, 'Timeline'), el('p', { class: 'words' },
		'Drag over the rows to choose an interval; double-click for the whole recording.'), intervalForm(), legend(), lanes());
	detailPart(main);
	intervalPart(main);
}
