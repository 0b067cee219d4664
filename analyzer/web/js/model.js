// SPDX-License-Identifier: MIT
// model.js - the recording: one call tree, numbers at its nodes, and time in columns. See analyzer/web/data.c.

const model = {};

function readData(id) {
	const element = byId(id), data = JSON.parse(element.textContent);

	element.remove();
	return data;
}

function loadFrames(frames) {
	model.frames = frames.function.length;
	model.functions = frames.function.map((name) => visible(name));
	model.frameOf = new Map(model.functions.map((name, i) => [name, i]));
	model.modules = frames.modules.map((name) => visible(name));
	model.files = frames.files.map((name) => visible(name));
	model.moduleOf = frames.module;
	model.fileOf = frames.file;
}

function moduleText(frame) {
	return model.moduleOf[frame] < 0 ? '' : model.modules[model.moduleOf[frame]];
}

function fileText(frame) {
	return model.fileOf[frame] < 0 ? '' : model.files[model.fileOf[frame]];
}

// Callers stand before whom they call, so loops upward and downward need no recursion.
function loadNodes(nodes) {
	const len = nodes.up.length;

	model.nodes = len;
	model.parent = new Int32Array(len);
	model.frame = Int32Array.from(nodes.frame);
	model.line = Int32Array.from(nodes.line);
	model.firstChild = new Int32Array(len).fill(-1);
	model.sibling = new Int32Array(len).fill(-1);
	for (let i = 0; i < len; i++)
		model.parent[i] = i - nodes.up[i];
	for (let i = len - 1; i > 0; i--) {
		model.sibling[i] = model.firstChild[model.parent[i]];
		model.firstChild[model.parent[i]] = i;
	}
}

function load() {
	const tree = readData('tree-data');

	model.report = readData('overview-data');
	model.time = readData('time-data');
	model.reports = readData('reports-data');
	model.time.from = model.time.from_ns;
	model.time.to = model.time.to_ns;
	loadLanes();
	model.leastShare = tree.least_share;
	model.nodesRecorded = tree.nodes_recorded;
	model.pageBytesMost = tree.page_bytes_most;
	model.nameMost = tree.name_most;
	loadFrames(tree.frames);
	loadNodes(tree.nodes);
	orderDepthFirst();
	model.base = tree.base || null;
	loadSource(tree.metrics.map((m) => m.name));
	model.metrics = tree.metrics.filter((m) => m.total > 0 || m.base_total > 0);
	const first = ['cpu', 'alloc_space', 'blocked'].find((name) => model.metrics.some((m) => m.name === name));

	model.firstMetric = first || (model.metrics.length ? model.metrics[0].name : '');
}

// The tree comes in the order in which stacks were met; loops over subtrees want all of one together.
function orderDepthFirst() {
	const order = new Int32Array(model.nodes);
	let len = 0, node = 0;

	while (node >= 0) {
		order[len++] = node;
		if (model.firstChild[node] >= 0) {
			node = model.firstChild[node];
			continue;
		}
		while (node > 0 && model.sibling[node] < 0)
			node = model.parent[node];
		node = node > 0 ? model.sibling[node] : -1;
	}
	model.depthFirst = order;
	markRecursionIn(order);
}

// A call of a function from within itself adds nothing to what it took in all.
function markRecursionIn(order) {
	const open = new Int32Array(model.frames), stack = [];

	model.isInner = new Uint8Array(model.nodes);
	for (const node of order) {
		while (stack.length && stack[stack.length - 1] !== model.parent[node])
			open[model.frame[stack.pop()]]--;
		model.isInner[node] = open[model.frame[node]] > 0 ? 1 : 0;
		open[model.frame[node]]++;
		stack.push(node);
	}
}

// ---- numbers -------------------------------------------------------------------------------------------------------

function metricByName(name) {
	return model.metrics.find((m) => m.name === name) || null;
}

// Of an interval only what the columns hold can be told.
const cellFields = { cpu: 1, blocked: 2, blocked_busy: 3 };

function hasInterval(name) {
	return state.from !== null && name in cellFields;
}

function selfOfWhole(step, value) {
	const self = new Float64Array(model.nodes);

	for (let i = 0, node = 0; i < step.length; i++) {
		node += step[i];
		self[node] = value[i];
	}
	return self;
}

// Of a column that lies partly in the interval the same part is counted.
function selfOfInterval(name) {
	const self = new Float64Array(model.nodes), t = model.time, field = cellFields[name];
	const width = (t.to - t.from) / t.cell_columns || 1;
	let scale = 1;

	if (name === 'cpu')
		scale = model.report.cpu.samples ? model.report.cpu.cpu_ns / model.report.cpu.samples : 0;
	t.cells.forEach((cell, c) => {
		const begin = t.from + c * width;
		const part = (Math.min(state.to, begin + width) - Math.max(state.from, begin)) / width;

		for (let i = 0; part > 0 && i < cell.length; i += 4)
			self[cell[i]] += cell[i + field] * part * scale;
	});
	return self;
}

function cumulate(self) {
	const cum = Float64Array.from(self);

	for (let i = model.nodes - 1; i > 0; i--)
		cum[model.parent[i]] += cum[i];
	return cum;
}

let profileKept = null;

// Of an interval the older recording knows nothing.
function isDiff() {
	const metric = metricByName(state.metric);

	return model.base !== null && !(metric && hasInterval(metric.name));
}

// profile - the numbers of the metric and the interval that are chosen, computed once.
function profile() {
	const metric = metricByName(state.metric);
	const isPart = metric && hasInterval(metric.name), isOld = isDiff() && state.side === 'old';
	const key = metric ? metric.name + (isPart ? state.from + '-' + state.to : isOld ? ' old' : '') : '';

	if (profileKept && profileKept.key === key)
		return profileKept;
	const self = !metric ? new Float64Array(model.nodes) :
		isPart ? selfOfInterval(metric.name) : selfOfWhole(metric.step, metric.value);
	const cum = cumulate(self), was = metric && isDiff() ? selfOfWhole(metric.base_step, metric.base_value) : null;
	const wasCum = was && cumulate(was);

	// diff: the two recordings, whichever of them has the widths.
	profileKept = {
		key, self: isOld ? was : self, cum: isOld ? wasCum : cum,
		diff: was && { now: { self, cum }, was: { self: was, cum: wasCum } }, unit: metric ? metric.unit : 'count', words: metric ? metric.words : '',
		kids: new Map(),
	};
	profileKept.total = profileKept.cum[0];
	return profileKept;
}

// Those that are called from a node and have some of the number, largest first.
function kidsOf(p, node) {
	let kids = p.kids.get(node);

	if (kids)
		return kids;
	kids = [];
	for (let i = model.firstChild[node]; i >= 0; i = model.sibling[i])
		if (p.cum[i] > 0)
			kids.push(i);
	kids.sort((a, b) => p.cum[b] - p.cum[a]);
	p.kids.set(node, kids);
	return kids;
}

// flat and cum of every function, of anything with self and cum by node.
function functionSums(p) {
	if (p.sums)
		return p.sums;
	const flat = new Float64Array(model.frames), cum = new Float64Array(model.frames);

	for (let i = 1; i < model.nodes; i++) {
		flat[model.frame[i]] += p.self[i];
		if (!model.isInner[i])
			cum[model.frame[i]] += p.cum[i];
	}
	p.sums = { flat, cum };
	return p.sums;
}

// What a node has more than it had.
function grownAt(p, node) {
	return p.diff.now.cum[node] - p.diff.was.cum[node];
}

function changeText(unit, change) {
	return (change > 0 ? '+' : '') + valueText(unit, change);
}

function lineText(node) {
	const line = model.line[node], file = fileText(model.frame[node]);

	if (!file)
		return '';
	return line === 0 ? file : line < 0 ? file + ':' + -line + ' and other lines' : file + ':' + line;
}

function frameByName(name) {
	return model.frameOf.get(visible(name)) ?? -1;
}

// ---- search --------------------------------------------------------------------------------------------------------

const search = { text: '', error: '', hits: null };

// searchHits - by frame, does it match? NULL: nothing is searched.
function searchHits() {
	if (search.text === state.search)
		return search.hits;
	search.text = state.search;
	search.error = '';
	search.hits = null;
	if (!state.search)
		return null;
	try {
		const re = new RegExp(state.search, 'i');

		search.hits = new Uint8Array(model.frames);
		for (let i = 0; i < model.frames; i++)
			search.hits[i] = re.test(model.functions[i]) || re.test(moduleText(i)) ? 1 : 0;
	} catch (e) {
		search.error = 'not a regular expression';
	}
	return search.hits;
}

// What of a subtree lies in functions that match, each part once.
function matchedIn(p, top, hits) {
	let sum = 0;
	const stack = [top];

	while (stack.length) {
		const node = stack.pop();

		if (node && hits[model.frame[node]]) {
			sum += p.cum[node];
			continue;
		}
		for (let i = model.firstChild[node]; i >= 0; i = model.sibling[i])
			if (p.cum[i] > 0)
				stack.push(i);
	}
	return sum;
}
