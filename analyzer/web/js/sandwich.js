// SPDX-License-Identifier: MIT
// sandwich.js - one function, wherever it was called: who calls it, and whom it calls.

function branch(frame, parent) {
	return { frame, parent, value: 0, self: 0, now: 0, was: 0, kids: new Map(), sorted: null };
}

// What a call adds to a branch.
function addCall(p, at, node) {
	at.value += p.cum[node];
	if (p.diff) {
		at.now += p.diff.now.cum[node];
		at.was += p.diff.was.cum[node];
	}
}

function hasAny(p, node) {
	return p.cum[node] > 0 || (p.diff && (p.diff.now.cum[node] > 0 || p.diff.was.cum[node] > 0));
}

function twig(parent, frame) {
	let kid = parent.kids.get(frame);

	if (!kid) {
		kid = branch(frame, parent);
		parent.kids.set(frame, kid);
	}
	return kid;
}

// Calls of the function from within itself are part of the outer call.
function outerCalls(p, func) {
	const calls = [];

	for (let i = 1; i < model.nodes; i++)
		if (model.frame[i] === func && !model.isInner[i] && hasAny(p, i))
			calls.push(i);
	return calls;
}

function callersTree(p, func) {
	const root = branch(func, null);

	for (const call of outerCalls(p, func)) {
		let at = root;

		addCall(p, root, call);
		for (let node = model.parent[call]; node > 0; node = model.parent[node]) {
			at = twig(at, model.frame[node]);
			addCall(p, at, call);
		}
	}
	return root;
}

function calleesTree(p, func) {
	const root = branch(func, null), stack = outerCalls(p, func).map((node) => [node, root]);

	while (stack.length) {
		const [node, at] = stack.pop();

		addCall(p, at, node);
		at.self += p.self[node];
		for (let i = model.firstChild[node]; i >= 0; i = model.sibling[i])
			if (hasAny(p, i))
				stack.push([i, twig(at, model.frame[i])]);
	}
	return root;
}

function branchSource(p, root, hasSelf) {
	return {
		profile: p, root, value: (n) => n.value, self: (n) => hasSelf ? n.self : null, parent: (n) => n.parent,
		kids: (n) => n.sorted || (n.sorted = [...n.kids.values()].sort((a, b) => b.value - a.value)),
		frame: (n) => n.frame, place: (n) => fileText(n.frame),
		now: (n) => n.now, was: (n) => n.was,
	};
}

function branchFlame(p, root, hasSelf, label) {
	const flame = makeFlame(branchSource(p, root, hasSelf), root, (node) => {
		flame.zoom = node;
		flame.draw();
	}, label);

	flame.draw();
	return flame;
}

function nextTable(p, root, title) {
	const columns = [
		{ title: 'Function', unit: 'text', value: (n) => model.functions[n.frame], hint: (n) => model.functions[n.frame],
			text: (n) => shortText(model.functions[n.frame], 90), act: (n) => stateSet({ func: n.frame }, true) },
		{ title: 'Module', unit: 'text', value: (n) => moduleText(n.frame) },
		{ title: 'Amount', unit: p.unit, value: (n) => n.value },
		{ title: 'Share', unit: 'percent', value: (n) => n.value, text: (n) => percentText(n.value, root.value) },
	];

	if (p.diff)
		columns.push({ title: 'Before', unit: p.unit, value: (n) => n.was },
			{ title: 'Change', unit: p.unit, value: (n) => n.now - n.was, text: (n) => changeText(p.unit, n.now - n.was) });

	return makeTable(title, columns, [...root.kids.values()], 2, 'None.');
}

const sandwichFlames = [];

function sandwichHead(p, func) {
	const sums = functionSums(p);

	return [
		el('p', { class: 'name' }, model.functions[func]),
		el('p', { class: 'words' }, [moduleText(func), fileText(func)].filter(Boolean).join('  ')),
		el('p', { class: 'words' }, `${flameWords(p)}; in this function ${valueText(p.unit, sums.flat[func])} ` +
			`(${percentText(sums.flat[func], p.total)}), with all it calls ${valueText(p.unit, sums.cum[func])} ` +
			`(${percentText(sums.cum[func], p.total)})`),
	];
}

function largestFunction(p) {
	const flat = functionSums(p).flat;
	let best = -1;

	for (let i = 0; i < model.frames; i++)
		if (flat[i] > 0 && (best < 0 || flat[i] > flat[best]))
			best = i;
	return best;
}

function sandwichView(main) {
	const p = profile(), func = state.func >= 0 ? state.func : largestFunction(p);

	sandwichFlames.length = 0;
	main.append(el('h2', {}, 'Callers and callees'));
	if (func < 0) {
		main.append(el('p', { class: 'none' }, 'Nothing of this number here. The view Functions lists what there is.'));
		return;
	}
	const callers = callersTree(p, func), callees = calleesTree(p, func);
	const up = branchFlame(p, callers, false, 'Callers'), down = branchFlame(p, callees, true, 'Callees');

	sandwichFlames.push(up, down);
	main.append(...sandwichHead(p, func), ...sidePart(p), el('h3', {}, 'Callers: each row calls the one above it'), up.element,
		el('h3', {}, 'Callees: each row is called by the one above it'), down.element,
		...sourcePart(p, func), el('div', { class: 'pair' }, nextTable(p, callers, 'Direct callers'), nextTable(p, callees, 'Direct callees')));
}
