// SPDX-License-Identifier: MIT
// flame.js - an icicle on a canvas that is as large as what can be seen: root on top, width is the number. What is
// narrower than a third of a pixel is drawn together with its neighbours.
//
// A source says what there is: root, value(n), self(n), kids(n) largest first, parent(n) or null, frame(n), place(n).

const ROW = 19;
const NARROWEST = 0.3;
const NAME_FROM = 28; // pixels

function treeSource(p) {
	return {
		profile: p, root: 0, value: (n) => p.cum[n], self: (n) => p.self[n], kids: (n) => kidsOf(p, n),
		parent: (n) => n ? model.parent[n] : null, frame: (n) => model.frame[n], place: lineText,
		now: (n) => p.diff.now.cum[n], was: (n) => p.diff.was.cum[n],
	};
}

function grownWords(now, was) {
	return was > 0 ? `(${now >= was ? '+' : ''}${((now - was) * 100 / was).toFixed(1)}%)` : '(new)';
}

function boxColor(flame, node, frame) {
	const s = flame.source;

	return s.profile.diff ? diffColor(s.now(node), s.was(node), Math.max(s.profile.diff.now.cum[0], s.profile.diff.was.cum[0])) :
		frameColor(frame);
}

function flameTip(flame, node) {
	const s = flame.source, p = s.profile, frame = s.frame(node), value = s.value(node), self = s.self(node);
	const lines = [model.functions[frame], [moduleText(frame), s.place(node)].filter(Boolean).join('  ')];

	lines.push(`total ${valueText(p.unit, value)} (${percentText(value, s.value(s.root))})`);
	if (self !== null)
		lines.push(`self ${valueText(p.unit, self)} (${percentText(self, s.value(s.root))})`);
	if (p.diff)
		lines.push(`before ${valueText(p.unit, s.was(node))}, now ${valueText(p.unit, s.now(node))}: ` +
			`${changeText(p.unit, s.now(node) - s.was(node))} ${grownWords(s.now(node), s.was(node))}`);
	return lines.filter(Boolean);
}

function showTip(lines, x, y) {
	const tip = byId('tip');

	tip.replaceChildren(...lines.map((line, i) => el(i ? 'span' : 'strong', {}, line)));
	tip.hidden = false;
	tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - tip.offsetWidth - 8)) + 'px';
	tip.style.top = (y + 18 + tip.offsetHeight > innerHeight ? Math.max(4, y - tip.offsetHeight - 8) : y + 18) + 'px';
}

function hideTip() {
	byId('tip').hidden = true;
}

// ---- drawing -------------------------------------------------------------------------------------------------------

function flamePath(flame, node) {
	const path = [];

	for (let n = node; n !== null; n = flame.source.parent(n))
		path.unshift(n);
	return path;
}

function drawBox(flame, node, x, w, row, isAbove) {
	const c = flame.context, colors = flame.colors, frame = flame.source.frame(node);
	const y = row * ROW - flame.scroller.scrollTop, isHit = flame.hits && flame.hits[frame] && node !== flame.source.root;

	flame.deepest = Math.max(flame.deepest, row);
	if (y + ROW < 0 || y > flame.height)
		return;
	flame.boxes.push({ node, x, w, y });
	c.globalAlpha = isAbove ? 0.6 : 1;
	c.fillStyle = isHit ? colors.hit : boxColor(flame, node, frame);
	c.fillRect(x, y, Math.max(w - (w > 3 ? 1 : 0), NARROWEST), ROW - 1);
	c.globalAlpha = 1;
	if (w >= NAME_FROM)
		drawName(flame, frame, x, w, y, isHit);
	if (node === flame.focus && flame.canvas === document.activeElement) {
		c.strokeStyle = colors.focus;
		c.lineWidth = 2;
		c.strokeRect(x + 1, y + 1, Math.max(w - 3, 1), ROW - 3);
	}
}

function drawName(flame, frame, x, w, y, isHit) {
	const c = flame.context, room = Math.floor((w - 8) / flame.charWidth), name = model.functions[frame];

	c.fillStyle = isHit ? flame.colors.hitText : flame.colors.text;
	c.fillText(name.length <= room ? name : name.slice(0, Math.max(room - 1, 1)) + '…', x + 4, y + 13);
}

// Boxes too narrow to be seen one by one.
function drawThin(flame, x, w, row) {
	const y = row * ROW - flame.scroller.scrollTop;

	flame.deepest = Math.max(flame.deepest, row);
	if (w < NARROWEST || y + ROW < 0 || y > flame.height)
		return;
	flame.context.fillStyle = flame.colors.thin;
	flame.context.fillRect(x, y, w, ROW - 1);
}

function drawKids(flame, node, left, row, scale) {
	const s = flame.source;
	let x = left;

	for (const kid of s.kids(node)) {
		const w = s.value(kid) * scale;

		// Largest first: all that follow are narrow too.
		if (w < NARROWEST) {
			drawThin(flame, x, left + (s.value(node) - (s.self(node) || 0)) * scale - x, row);
			return;
		}
		drawBox(flame, kid, x, w, row, false);
		drawKids(flame, kid, x, row + 1, scale);
		x += w;
	}
}

function drawFlame(flame) {
	const width = flame.scroller.clientWidth, height = flame.scroller.clientHeight, ratio = devicePixelRatio || 1;
	const path = flamePath(flame, flame.zoom), top = path[path.length - 1], value = flame.source.value(top);
	const c = flame.context;

	if (!width || !height)
		return;
	if (flame.canvas.width !== Math.round(width * ratio) || flame.canvas.height !== Math.round(height * ratio)) {
		flame.canvas.width = Math.round(width * ratio);
		flame.canvas.height = Math.round(height * ratio);
		flame.canvas.style.width = width + 'px';
		flame.canvas.style.height = height + 'px';
	}
	Object.assign(flame, { height, boxes: [], deepest: 0, colors: themeColors(), hits: searchHits() });
	c.setTransform(ratio, 0, 0, ratio, 0, 0);
	c.clearRect(0, 0, width, height);
	c.font = '12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';
	flame.charWidth = c.measureText('m').width;
	path.forEach((node, row) => drawBox(flame, node, 0, width, row, row < path.length - 1));
	if (value > 0)
		drawKids(flame, top, 0, path.length, width / value);
	flame.space.style.height = (flame.deepest + 1) * ROW + 'px';
	// With its border; the style sheet says how high it may be.
	flame.scroller.style.height = (flame.deepest + 1) * ROW + 2 + 'px';
}

// ---- doing ---------------------------------------------------------------------------------------------------------

function boxAt(flame, event) {
	const edge = flame.canvas.getBoundingClientRect(), x = event.clientX - edge.left, y = event.clientY - edge.top;

	return flame.boxes.find((b) => x >= b.x && x < b.x + Math.max(b.w, 1) && y >= b.y && y < b.y + ROW) || null;
}

function focusBox(flame, node) {
	flame.focus = node;
	const row = flamePath(flame, node).length - 1, y = row * ROW, s = flame.scroller;

	if (y < s.scrollTop)
		s.scrollTop = y;
	else if (y + ROW > s.scrollTop + s.clientHeight)
		s.scrollTop = y + ROW - s.clientHeight;
	drawFlame(flame);
	announce(flameTip(flame, node).join(', '));
}

function neighbour(flame, step) {
	const parent = flame.source.parent(flame.focus);

	if (parent === null)
		return flame.focus;
	const kids = flame.source.kids(parent), at = kids.indexOf(flame.focus) + step;

	return kids[Math.max(0, Math.min(at, kids.length - 1))] ?? flame.focus;
}

function flameKey(flame, event) {
	const s = flame.source, parent = s.parent(flame.focus);
	const moves = {
		ArrowUp: () => parent === null ? flame.focus : parent,
		ArrowDown: () => s.kids(flame.focus)[0] ?? flame.focus,
		ArrowLeft: () => neighbour(flame, -1),
		ArrowRight: () => neighbour(flame, 1),
		Home: () => s.root,
	};

	if (event.ctrlKey || event.altKey || event.metaKey)
		return;
	if (moves[event.key]) {
		event.preventDefault();
		focusBox(flame, moves[event.key]());
	} else if (event.key === 'Enter') {
		flame.onZoom(flame.focus);
	} else if (event.key === 'Backspace') {
		event.preventDefault();
		flame.onZoom(s.parent(flame.zoom) ?? s.root);
	} else if (event.key === 's' && s.frame(flame.focus) > 0) {
		stateSet({ view: 'sandwich', func: s.frame(flame.focus) }, true);
	}
}

function listen(flame) {
	const canvas = flame.canvas;

	canvas.addEventListener('mousemove', (event) => {
		const box = boxAt(flame, event);

		canvas.style.cursor = box ? 'pointer' : 'default';
		if (box)
			showTip(flameTip(flame, box.node), event.clientX, event.clientY);
		else
			hideTip();
	});
	canvas.addEventListener('mouseleave', hideTip);
	canvas.addEventListener('click', (event) => {
		const box = boxAt(flame, event);

		if (box) {
			flame.focus = box.node;
			flame.onZoom(box.node);
		}
	});
	canvas.addEventListener('dblclick', () => flame.onZoom(flame.source.root));
	canvas.addEventListener('keydown', (event) => flameKey(flame, event));
	canvas.addEventListener('focus', flame.draw);
	canvas.addEventListener('blur', flame.draw);
}

// makeFlame - zoom: the node that has the whole width; onZoom(node): another is wanted. Call flame.draw() when it stands
// in the page; it draws itself again when its size changes.
function makeFlame(source, zoom, onZoom, label) {
	const canvas = el('canvas', { tabindex: 0, role: 'application', 'aria-roledescription': 'flame graph',
		'aria-label': label + ': arrows walk, Enter zooms, Escape resets, s shows callers and callees. ' +
			'The view Functions has the same numbers as a table.' });
	const space = el('div', { class: 'space' });
	const scroller = el('div', { class: 'flame' }, canvas, space);
	const flame = { source, zoom, onZoom, canvas, space, scroller, context: canvas.getContext('2d'), focus: zoom, boxes: [],
		element: scroller };

	flame.draw = oncePerFrame(() => drawFlame(flame));
	scroller.addEventListener('scroll', flame.draw);
	new ResizeObserver(flame.draw).observe(scroller);
	listen(flame);
	return flame;
}

// ---- the view ------------------------------------------------------------------------------------------------------

function crumbs(node) {
	const path = [];

	for (let n = node; n > 0; n = model.parent[n])
		path.unshift(n);
	const shown = path.length > 6 ? path.slice(-6) : path;

	return el('nav', { class: 'crumbs', 'aria-label': 'Zoomed into' },
		button('all', () => stateSet({ zoom: 0 }, true)),
		path.length > shown.length ? ' … ' : null,
		shown.map((n) => [' › ', button(shortText(model.functions[model.frame[n]], 40), () => stateSet({ zoom: n }, true))]));
}

let treeFlame = null;

function flameWords(p) {
	if (p.diff)
		return `${p.words}: ${valueText(p.unit, p.diff.now.cum[0])}, before ${valueText(p.unit, p.diff.was.cum[0])} ` +
			grownWords(p.diff.now.cum[0], p.diff.was.cum[0]);
	return `${p.words}: ${valueText(p.unit, p.total)}` + (hasInterval(state.metric) ?
		` between ${nsText(state.from)} and ${nsText(state.to)}` : state.from !== null ?
			' in the whole recording (this number is not known for an interval)' : '');
}

// Of two recordings: which one has the widths, and what the colours say.
function sidePart(p) {
	if (!p.diff)
		return [];
	const swatch = (now, was, words) => {
		const box = el('span', { class: 'swatch' });

		box.style.background = diffColor(now, was, 1);
		return el('li', {}, box, words);
	};

	return [
		el('div', { class: 'actions' }, 'Widths of ', [['new', 'this recording'], ['old', 'the older one']].map(([side, words]) =>
			button(words, () => stateSet({ side }, true), { 'aria-pressed': String(state.side === side) }))),
		el('ul', { class: 'legend' }, swatch(1, 0, 'new'), swatch(2, 1, 'doubled'), swatch(1, 1, 'as before'), swatch(1, 2, 'halved'),
			swatch(0, 1, 'gone')),
	];
}

function flameView(main) {
	const p = profile(), zoom = p.cum[state.zoom] > 0 ? state.zoom : 0;

	main.append(el('h2', {}, 'Flame graph'), el('p', { class: 'words' }, flameWords(p)), ...sidePart(p), crumbs(zoom));
	if (!(p.total > 0)) {
		main.append(el('p', { class: 'none' }, 'Nothing of this number here.'));
		treeFlame = null;
		return;
	}
	treeFlame = makeFlame(treeSource(p), zoom, (node) => stateSet({ zoom: node }, true), 'Flame graph');
	main.append(treeFlame.element);
	treeFlame.draw();
}
