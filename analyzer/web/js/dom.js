// SPDX-License-Identifier: MIT
// dom.js - elements. Text comes in as text nodes only: no name of a recording is ever read as markup.

const byId = (id) => document.getElementById(id);

// el('button', { type: 'button', onclick: f }, 'text', otherElement): properties that begin with "on" are listeners,
// the others are attributes; null and false are left out.
function el(tag, attributes, ...children) {
	const element = document.createElement(tag);

	for (const [name, value] of Object.entries(attributes || {})) {
		if (value === null || value === false || value === undefined)
			continue;
		if (name.startsWith('on'))
			element.addEventListener(name.slice(2), value);
		else
			element.setAttribute(name, value === true ? '' : value);
	}
	element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
	return element;
}

// What a screen reader should hear.
function announce(text) {
	byId('live').textContent = text;
}

function button(text, onclick, attributes) {
	return el('button', { type: 'button', onclick, ...attributes }, text);
}

// Call f at most once per frame of the screen, with the last arguments.
function oncePerFrame(f) {
	let waiting = false;

	return () => {
		if (waiting)
			return;
		waiting = true;
		requestAnimationFrame(() => {
			waiting = false;
			f();
		});
	};
}
