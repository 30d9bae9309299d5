// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The picture of `momctl top` for a browser: momd's own answers under /api/, drawn.
// Whatever comes from outside becomes text of a node, never markup. Read only.
'use strict';

const $ = id => document.getElementById(id);

/* ---- words: a state's colour and meaning, as momctl tells them ---- */

const states = {
	roomy: ['good', 'memory to spare; guests that were squeezed get theirs back'],
	snug: ['good', 'guests in need grow, only what is clearly idle is taken'],
	tight: ['care', 'guests are moved to their fair parts'],
	critical: ['bad', 'memory is taken from guests at once'],
	exhausted: ['bad', 'every guest is at its minimum and it is not enough'],
	new: ['plain', 'seen, and not judged yet'],
	booting: ['plain', 'starting; counted at its maximum and not shrunk'],
	managed: ['good', 'grown and shrunk as it needs'],
	watched: ['plain', 'counted, never moved'],
	nodriver: ['care', 'nothing in the guest moves its balloon; counted at its maximum'],
	suspended: ['plain', 'not running, so not moved'],
	busy: ['plain', 'being saved, copied or moved, so not touched'],
	hung: ['bad', 'its QEMU doesn\'t answer; what it cost last is counted'],
	held: ['care', 'somebody else set its balloon; left so for a while'],
	paused: ['care', 'paused by "momctl pause"; counted, not moved'],
	stuck: ['bad', 'its balloon stopped short of the target'],
	fixed: ['care', 'its memory can\'t be taken, so it is left out'],
};
const qualities = {
	unknown: 'too early to say',
	none: 'it has no balloon device',
	nodriver: 'no balloon driver answers in the guest',
	noservice: 'the driver answers, without values; in Windows install blnsvr',
	stale: 'the values stopped changing',
	partial: 'some values are missing, so a larger buffer is kept',
	good: 'complete and fresh',
};
const word = name => states[name] ?? ['plain', 'not known to this page'];
const severity = name => ['bad', 'care', 'plain', 'good'].indexOf(word(name)[0]);
const reason = guest => guest.reason || word(guest.state)[1];

/* ---- figures ---- */

function size(kib) {
	if (kib == null) return 'unknown';
	const units = ['KiB', 'MiB', 'GiB', 'TiB'];
	let unit = 0;
	for (; kib >= 1023.5 && unit < 3; unit++) kib /= 1024;
	return kib.toFixed(!unit || kib >= 100 ? 0 : kib >= 10 ? 1 : 2) + ' ' + units[unit];
}

function lasted(seconds) {
	if (!(seconds >= 0)) return 'unknown';
	if (seconds > 0 && seconds < 1) return Math.round(seconds * 1000) + 'ms';
	const units = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
	const first = units.findIndex(unit => seconds >= unit[0]);
	if (first < 0) return '0s';
	return units.slice(first, first + 2).map(([length, name]) => {
		const count = Math.floor(seconds / length);
		seconds -= count * length;
		return count ? count + name : '';
	}).join(' ').trim();
}

const percent = ratio => ratio == null ? 'unknown' : (ratio * 100).toFixed(1) + ' %';
const clock = (at, seconds) => new Date(at * 1000).toLocaleTimeString([],
	{hour: '2-digit', minute: '2-digit', second: seconds ? '2-digit' : undefined, hour12: false});
const sum = (list, pick) => list.reduce((total, item) => total + (pick(item) ?? 0), 0);
const plural = (count, thing) => `${count} ${thing}${count === 1 ? '' : 's'}`;

/* ---- nodes ---- */

function el(tag, look, ...kids) {
	const node = document.createElement(tag);
	if (look) node.className = look;
	node.append(...kids);
	return node;
}

/* A name from outside: kept to itself, whichever way it is written. */
const named = text => el('bdi', '', text);

function say(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

function pill(node, state) {
	say(node, state);
	node.className = 'pill ' + word(state)[0];
	node.title = word(state)[1];
	return node;
}

function svg(tag, attributes, ...kids) {
	const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
	for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
	node.append(...kids);
	return node;
}

/* ---- what is known ---- */

const SEEN_MOST = 1800; /* samples kept of what the page saw itself */
let now = null;         /* the latest status */
let seen = [];          /* {at, host: {…}, guests: Map uuid → {…}} of each tick */
let past = null;        /* of the history: {at, span, pools: Map name → [row], guests: Map uuid → [row]} */
let span = 3600;
let answered = null;    /* when momd did last, by our clock */
const hues = new Map();

/* The time on the host, which needn't be ours. */
const clockNow = () => now.at + (Date.now() - answered) / 1000;

function hue(uuid) {
	if (!hues.has(uuid)) hues.set(uuid, hues.size);
	const turn = [222, 262, 192, 318, 158, 28, 242, 342, 205, 285][hues.get(uuid) % 10];
	return `hsl(${turn} 45% 54%)`;
}

const hostRow = (at, host) => ({at, cost: host.cost_kib, budget: host.budget_kib,
	psi: host.psi_full, state: host.state});
const guestRow = (at, guest) => ({at, used: guest.used_kib, actual: guest.actual_kib,
	target: guest.target_kib, cost: guest.cost_kib, state: guest.state, why: guest.why ?? reason(guest)});

function remember(status) {
	const at = status.at;
	seen.push({at, host: hostRow(at, status.host),
		guests: new Map(status.guests.map(guest => [guest.uuid, guestRow(at, guest)]))});
	if (seen.length > SEEN_MOST) seen = seen.slice(SEEN_MOST / 10);
}

/* Rows of the history are lists, named by their columns. */
function unpack(lines, columns, key, make) {
	return new Map(lines.map(line => [line[key], line.rows.map(row => {
		const named = Object.fromEntries(columns.map((column, i) => [column, row[i]]));
		return make(named.at, named);
	})]));
}

/* As often as there is something new to know. */
async function refreshPast() {
	if (past?.span === span && Date.now() - past.at < past.every) return;
	const asked = {span, at: Date.now(), every: 5000, pools: new Map(), guests: new Map()};
	past = past?.span === span ? {...past, at: asked.at} : asked;
	try {
		const all = await get(`/api/history?last_s=${asked.span}&points=360`);
		if (asked.span !== span) return;
		past = {...asked, every: Math.max(10, all.step_s) * 1000,
			pools: unpack(all.pools, all.columns.pool, 'name', hostRow),
			guests: unpack(all.guests, all.columns.guest, 'uuid', guestRow)};
		const end = past.pools.get(now.host.name)?.at(-1)?.at ?? 0;
		seen = seen.filter(tick => tick.at > end);
		draw();
	} catch (error) {
		if (error.status === 404) past.every = Infinity; /* switched off */
	}
}

/* What history holds, and after its end what the page saw. */
function joined(old, recent) {
	const end = old?.at(-1)?.at ?? 0;
	const from = clockNow() - span;
	return (old ?? []).concat(recent.filter(row => row.at > end)).filter(row => row.at >= from);
}
const guestRows = uuid => joined(past?.guests.get(uuid),
	seen.map(tick => tick.guests.get(uuid)).filter(row => row));

/* With each row of the host how high its guests are, one upon another. */
function hostRows() {
	const uuids = [...new Set([...now.guests.map(guest => guest.uuid), ...past?.guests.keys() ?? []])];
	const costs = uuids.map(uuid => new Map(guestRows(uuid).map(row => [row.at, row.cost])));
	const rows = joined(past?.pools.get(now.host.name), seen.map(tick => tick.host)).map(row => {
		let height = 0;
		return {...row, heights: costs.map(cost => height += cost.get(row.at) ?? 0)};
	});
	return {rows, layers: uuids.map(hue)};
}

/* As far back as anything is known, within what is asked for. */
const reach = rows => Math.min(span, Math.max(180, clockNow() - (rows[0]?.at ?? 0)));

/* ---- plots ---- */

/* A path through the rows; `gap` seconds without one break it. */
function trace(rows, pick, x, y, gap) {
	let path = '', last = null, column = null;
	rows.forEach((row, i) => {
		const value = pick(row);
		if (value == null) return;
		const left = Math.round(x(row.at));
		if (left === column && i < rows.length - 1) return;
		column = left;
		path += `${last !== null && row.at - last <= gap ? 'L' : 'M'}${left} ${y(value).toFixed(1)}`;
		last = row.at;
	});
	return path;
}

/* The same as an area down to `foot`, each unbroken piece closed by itself. */
const filled = (path, foot) => path.split('M').filter(piece => piece).map(piece => {
	const points = piece.split('L');
	return `M${piece}L${points.at(-1).split(' ')[0]} ${foot}L${points[0].split(' ')[0]} ${foot}Z`;
}).join('');

function widestGap(rows, shown) {
	const steps = rows.slice(1).map((row, i) => row.at - rows[i].at).sort((a, b) => a - b);
	return Math.max(15, 4 * (steps[Math.floor(steps.length / 2)] ?? 0), shown / 120);
}

/* Round steps: 1, 2, 5 of the unit in which the top is told. */
function steps(top) {
	const unit = top >= 1048576 ? 1048576 : top >= 1024 ? 1024 : 1;
	const rough = top / unit / 4;
	const power = 10 ** Math.floor(Math.log10(rough || 1));
	const step = unit * power * ([1, 2, 5].find(n => n * power >= rough) ?? 10);
	return Array.from({length: Math.floor(top / step) + 1}, (_, i) => i * step);
}

function timeMarks(from, to) {
	const step = [60, 300, 600, 1800, 3600, 7200, 14400, 28800, 86400].find(s => (to - from) / s <= 8) ?? 172800;
	const shift = new Date().getTimezoneOffset() * 60;
	const first = Math.ceil((from - shift) / step) * step + shift;
	return Array.from({length: Math.floor((to - first) / step) + 1}, (_, i) => first + i * step);
}

/* A state lasts until the next row, where there is no gap; a path for each colour. */
function stateStrip(rows, x, y, gap) {
	const paths = {};
	rows.forEach((row, i) => {
		const look = word(row.state)[0], next = rows[i + 1]?.at;
		const until = next - row.at <= gap ? next : row.at;
		paths[look] = `${paths[look] ?? ''}M${x(row.at).toFixed(1)} ${y}H${(x(until) + 0.5).toFixed(1)}`;
	});
	return Object.entries(paths).map(([look, d]) => svg('path', {class: 'strip ' + look, d}));
}

const label = (x, y, anchor, text) => svg('text', {x, y, 'text-anchor': anchor}, text);
const rule = (x1, x2, y) => svg('line', {class: 'grid', x1, x2, y1: y, y2: y});
const curve = (look, d) => svg('path', {class: look, d});

function describe(title, line, rows, shown) {
	const told = rows.map(line.pick).filter(value => value != null);
	return told.length ? `${title}: ${line.name} now ${size(told.at(-1))}, least ${size(Math.min(...told))}, ` +
		`most ${size(Math.max(...told))} in the last ${lasted(Math.round(shown))}` : title + ': nothing yet';
}

/*
 * Draw rows over time into a figure. `lines`: [{name, look, pick, area, text}], the scale is
 * theirs; `rate`: one more in a band of its own, 0..1; `layers`: colours of the rows' heights.
 */
function plot(figure, {title, rows, lines, rate, layers}) {
	const height = figure.firstElementChild?.clientHeight || 190, width = Math.max(280, figure.clientWidth);
	const to = clockNow(), shown = reach(rows), from = to - shown, gap = widestGap(rows, shown);
	const left = 62, foot = height - (rate ? 62 : 30), floor = height - 26;
	const most = (line, least) => Math.max(least, ...rows.map(row => line.pick(row) ?? 0));
	const top = Math.max(...lines.map(line => most(line, 1))) * 1.06;
	const x = at => left + (at - from) / shown * (width - left), y = value => foot - value / top * (foot - 8);
	const picture = svg('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img',
		'aria-label': describe(title, lines[0], rows, shown)});
	for (const value of steps(top))
		picture.append(rule(left, width, y(value)),
			label(left - 8, y(value) + 4, 'end', value ? size(value).replace(/\.0+ /, ' ') : '0'));
	for (const at of timeMarks(from, to))
		if (x(at) > left + 10 && x(at) < width - 14) picture.append(label(x(at), height - 2, 'middle', clock(at)));
	picture.append(svg('g', {class: 'layers'}, ...(layers ?? []).map((fill, i) => svg('path', {fill,
		d: filled(trace(rows, row => row.heights[i], x, y, gap), foot)})).reverse()));
	for (const line of lines) {
		const path = trace(rows, line.pick, x, y, gap);
		if (line.area && !layers) picture.append(curve('area', filled(path, foot)));
		picture.append(curve('line ' + line.look, path));
	}
	if (rate) {
		const whole = most(rate, 0.1);
		const path = trace(rows, rate.pick, x, value => floor - value / whole * 24, gap);
		picture.append(rule(left, width, floor), label(left - 8, floor - 4, 'end', percent(whole).replace('.0', '')),
			curve('area hot', filled(path, floor)), curve('line ' + rate.look, path));
	}
	picture.append(...stateStrip(rows, x, height - 19.5, gap));
	hang(figure, picture, {rows, x, lines: rate ? [...lines, rate] : lines, width, height});
}

/* Into the page, with what the pointer points at. */
function hang(figure, picture, drawn) {
	figure.drawn = drawn;
	if (!figure.firstElementChild) {
		const tip = el('div', 'tip');
		tip.hidden = true;
		const caption = el('figcaption', '', ...drawn.lines.map(line =>
			el('span', '', el('i', line.look), line.name)));
		figure.append(picture, caption, tip);
		for (const kind of ['pointermove', 'pointerleave'])
			figure.addEventListener(kind, event => {
				figure.pointer = kind === 'pointermove' ? event.clientX - figure.getBoundingClientRect().left : null;
				point(figure);
			});
	} else {
		figure.firstElementChild.replaceWith(picture);
		point(figure);
	}
}

function point(figure) {
	const {rows, x, lines, width, height} = figure.drawn;
	const tip = figure.querySelector('.tip');
	figure.querySelector('.at')?.remove();
	const at = figure.pointer;
	tip.hidden = at == null || !rows.length;
	if (tip.hidden) return;
	const row = rows.reduce((best, one) => Math.abs(x(one.at) - at) < Math.abs(x(best.at) - at) ? one : best);
	figure.firstElementChild.append(svg('line', {class: 'at', x1: x(row.at), x2: x(row.at), y1: 4, y2: height - 17}));
	say(tip, [`${clock(row.at, true)}  ${row.state ?? ''}`, ...lines.map(line =>
		`${line.name} ${(line.text ?? size)(line.pick(row))}`), ...(row.why ? [row.why] : [])].join('\n'));
	const place = x(row.at) > width / 2 ? x(row.at) - tip.offsetWidth - 10 : x(row.at) + 10;
	tip.style.left = Math.max(0, place) + 'px';
}

const hostLines = {
	title: 'Memory of all guests',
	lines: [{name: 'guests may use', look: 'l-cost', pick: row => row.cost, area: true},
		{name: 'budget', look: 'l-budget', pick: row => row.budget}],
	rate: {name: 'stalled on memory', look: 'l-psi', pick: row => row.psi, text: percent},
};
const guestLines = {
	title: 'Memory of this guest',
	lines: [{name: 'balloon', look: 'l-cost', pick: row => row.actual, area: true},
		{name: 'used', look: 'l-used', pick: row => row.used},
		{name: 'target', look: 'l-target', pick: row => row.target}],
};

/* ---- the host ---- */

function drawHead(status) {
	const [state, meaning] = $('state').children;
	const host = status.host;
	pill(state, host.state);
	say(meaning, word(host.state)[1]);
	document.title = `${host.state} · mom`;
	const notices = [];
	if (status.dry_run) notices.push(['care', 'Dry run: nothing is ordered.']);
	if (status.paused) notices.push(['care', 'Paused: no guest is moved until "momctl resume".']);
	if (!status.hypervisor.connected)
		notices.push(['bad', `${status.hypervisor.uri} is not connected${status.hypervisor.why ? ': ' + status.hypervisor.why : '.'}`]);
	for (const warning of status.warnings) notices.push(['care', warning]);
	const text = JSON.stringify(notices);
	if ($('notices').told === text) return;
	$('notices').told = text;
	$('notices').replaceChildren(...notices.map(([look, line]) => el('p', 'notice ' + look, line)));
}

const heldBy = guest => guest.held_kib ?? guest.rss_kib ?? guest.cost_kib;

/*
 * Where the memory is. What KSM saves is held by guests more than once: their parts are
 * drawn as what they really take, the saving after the end.
 */
function barParts(status) {
	const host = status.host, whole = host.name === 'host' && host.mem_total_kib;
	const inside = whole ? status.guests : status.guests.filter(guest => !guest.cgroup || guest.cgroup.startsWith(host.name));
	const held = sum(inside, heldBy), saved = Math.min(host.ksm_saving_kib ?? 0, held);
	const reserve = Math.min(host.reserve_kib, host.available_kib);
	const cached = whole && host.mem_free_kib != null ?
		Math.min(Math.max(0, host.available_kib - host.mem_free_kib), host.available_kib - reserve) : 0;
	const own = whole ? Math.max(0, host.mem_total_kib - host.available_kib - held + saved) : 0;
	return {held: held - saved, total: own + held + host.available_kib, parts: [
		...(own ? [{look: 'own', name: 'the host itself', kib: own}] : []),
		...inside.map(guest => ({guest, name: guest.name, kib: heldBy(guest) * (held ? (held - saved) / held : 1)})),
		...(cached ? [{look: 'cached', name: 'cache', kib: cached}] : []),
		{look: 'free', name: 'free', kib: host.available_kib - reserve - cached},
		{look: 'reserve', name: 'reserve', kib: reserve},
		...(saved ? [{look: 'saved', name: 'saved by KSM', kib: saved}] : []),
	]};
}

function drawBar(status) {
	const {parts, held, total} = barParts(status);
	const bar = $('bar'), width = bar.clientWidth;
	while (bar.children.length > parts.length) bar.lastChild.remove();
	while (bar.children.length < parts.length) bar.append(el('i'));
	parts.forEach((part, i) => {
		const node = bar.children[i];
		node.className = part.look ?? '';
		node.style.background = part.guest ? hue(part.guest.uuid) : '';
		node.style.flexGrow = part.kib;
		node.title = `${part.name}: ${size(part.kib)}`;
		say(node, part.guest && part.kib / total * width > 8 * part.name.length + 10 ? part.name : '');
	});
	const legend = [...parts.filter(part => !part.guest)];
	legend.splice(legend[0]?.look === 'own' ? 1 : 0, 0, {look: 'many', name: 'guests', kib: held});
	$('legend').replaceChildren(...legend.map(part =>
		el('li', '', el('i', part.look), part.name + ' ', el('b', '', size(part.kib)))));
	bar.setAttribute('aria-label', 'Memory: ' + legend.map(part => `${part.name} ${size(part.kib)}`).join(', '));
}

function ledger(host) {
	const left = host.budget_kib - host.cost_kib;
	return `${size(host.cost_kib)} in use by ${plural(host.guests, 'guest')}, ${size(Math.abs(left))} ` +
		`${left < 0 ? 'too much' : 'free'}, of a budget of ${size(host.budget_kib)}` +
		`${host.name === 'host' ? '' : ` (cgroup "${host.name}")`}; ${size(host.reserve_kib)} kept in reserve`;
}

function factsOf(status) {
	const host = status.host, tick = status.tick, hypervisor = status.hypervisor;
	const promised = sum(status.guests, guest => guest.max_kib);
	const facts = [
		['Promised', size(promised), host.budget_kib ? `${(promised / host.budget_kib).toFixed(2)} times the budget` : ''],
		['Stalled on memory', percent(host.psi_full), `some of it ${percent(host.psi_some)}`],
		['Swap', host.swap_total_kib ? size(host.swap_total_kib - host.swap_free_kib) : host.swap_total_kib === 0 ? 'none' : 'unknown',
			host.swap_total_kib ? `of ${size(host.swap_total_kib)}${host.swap_in_kib_per_s + host.swap_out_kib_per_s > 0 ?
				`; ${size(host.swap_in_kib_per_s)}/s in, ${size(host.swap_out_kib_per_s)}/s out` : ''}` : ''],
		['Policy', status.policies.join(', ') || 'none', `${plural(tick.orders, 'order')}, ${tick.orders_failed} failed`],
		['Tick', `${tick.last_ms} ms`, `every ${lasted(tick.period_ms / 1000)}; ${tick.late} late`],
		['Hypervisor', hypervisor.connected ? 'connected' : 'gone', `${hypervisor.uri}, ${lasted(hypervisor.since_s)}`],
	];
	if (host.ksm_saving_kib != null)
		facts.splice(3, 0, ['KSM saves', size(host.ksm_saving_kib), host.ksm_rival ? `tuned by ${host.ksm_rival}, too` :
			host.ksmd_cpu_ratio != null ? `for ${percent(host.ksmd_cpu_ratio)} of a processor` : '']);
	return facts;
}

function drawFacts(status) {
	const box = $('facts'), facts = factsOf(status);
	if (box.children.length !== facts.length)
		box.replaceChildren(...facts.map(() => el('div', '', el('dt'), el('dd', '', el('span'), el('small')))));
	facts.forEach(([name, value, note], i) => {
		const [term, data] = box.children[i].children;
		say(term, name);
		say(data.firstChild, value);
		say(data.lastChild, note);
	});
}

function drawHost(status) {
	const others = status.pools.filter(pool => pool.name !== status.host.name);
	say($('ledger'), [ledger(status.host), ...others.map(ledger)].join(' · '));
	drawBar(status);
	drawFacts(status);
	plot($('past'), {...hostLines, ...hostRows()});
}

/* ---- the guests ---- */

const swapping = guest => (guest.swap_in_kib_per_s ?? 0) + (guest.swap_out_kib_per_s ?? 0);
const columns = [
	['name', 'Guest', guest => guest.name],
	['state', 'State', guest => severity(guest.state)],
	['meter', 'Memory', guest => -(guest.actual_kib ?? guest.max_kib)],
	['spark', 'Lately'],
	['rates', 'Swap and faults', guest => -swapping(guest) * 1e6 - (guest.major_faults_per_s ?? 0)],
	['shares n', 'Shares', guest => -guest.shares],
	['why', 'Why'],
];
const rows = new Map();
let order = 0, turned = false;

function sortBy(index) {
	turned = order === index && !turned;
	order = index;
	drawGuests(now);
}

function makeHead() {
	$('guests').querySelector('thead tr').append(...columns.map(([look, name, key], i) => {
		const head = el('th', look);
		head.scope = 'col';
		if (!key) return el('th', look, name);
		const button = el('button', '', name);
		button.type = 'button';
		button.addEventListener('click', () => sortBy(i));
		head.append(button);
		return head;
	}));
}

function makeMeter() {
	return el('td', 'meter', el('div', 'track', el('i', 'aim'),
		el('div', 'parts', el('i', 'used'), el('i', 'cache'), el('i', 'idle'))),
		el('div', 'figure', el('span'), el('span')));
}

function makeRow(uuid) {
	const dot = el('i'), button = el('button', '', dot, el('bdi'));
	button.type = 'button';
	dot.style.background = hue(uuid);
	const row = el('tr', '', el('td', 'name', button), el('td', 'state', el('span', 'pill')), makeMeter(),
		el('td', 'spark'), el('td', 'rates'), el('td', 'shares n'), el('td', 'why', el('bdi')));
	row.addEventListener('click', () => { location.hash = uuid; });
	return row;
}

function drawMeter(cell, guest) {
	const [track, figure] = cell.children, [aim, parts] = track.children;
	const max = guest.max_kib || 1, actual = guest.actual_kib ?? max, used = guest.used_kib ?? 0;
	const inside = Math.max(0, actual - used);
	const cache = guest.used_kib == null || guest.unused_kib == null ? 0 : Math.max(0, Math.min(inside, inside - guest.unused_kib));
	[used, cache, inside - cache].forEach((kib, i) => { parts.children[i].style.width = kib / max * 100 + '%'; });
	const target = guest.target_kib, far = Math.abs(target - actual) > max / 200;
	aim.hidden = target == null;
	aim.className = 'aim' + (!far ? '' : target > actual ? ' up' : ' down');
	aim.style.left = (target ?? 0) / max * 100 + '%';
	track.title = `used ${size(guest.used_kib)}, cache ${size(cache)}, balloon at ${size(guest.actual_kib)}, ` +
		`target ${size(target)}, at most ${size(guest.max_kib)}`;
	say(figure.firstChild, `${size(guest.used_kib)} used`);
	const all = size(max), bare = kib => size(kib).replace(all.slice(-4), '');
	say(figure.lastChild, `${bare(actual)}${far ? ` ${target > actual ? '↗' : '↘'} ${bare(target)}` : ''} of ${all}`);
}

function drawRates(cell, guest) {
	const told = [], faults = Math.round(guest.major_faults_per_s ?? 0);
	if (swapping(guest)) told.push(`swap ${size(swapping(guest))}/s`);
	if (faults) told.push(`${faults} faults/s`);
	if (guest.swap_kib) told.push(`${size(guest.swap_kib)} in the host's swap`);
	say(cell, told.join(', ') || '–');
	cell.className = 'rates' + (swapping(guest) ? ' hot' : told.length ? '' : ' none');
}

function drawSpark(cell, guest) {
	const lately = guestRows(guest.uuid), shown = reach(lately), gap = widestGap(lately, shown);
	const x = at => (1 - (clockNow() - at) / shown) * 120;
	const y = kib => 31 - kib / (guest.max_kib || 1) * 29;
	const path = trace(lately, row => row.actual, x, y, gap);
	cell.replaceChildren(svg('svg', {viewBox: '0 0 120 32', preserveAspectRatio: 'none', 'aria-hidden': 'true'},
		svg('path', {class: 'area', d: filled(path, 32)}), svg('path', {class: 'line', d: path}),
		svg('path', {class: 'line l-used', d: trace(lately, row => row.used, x, y, gap)})));
}

function drawRow(row, guest) {
	const [name, state, meter, spark, rates, shares, why] = row.children;
	say(name.querySelector('bdi'), guest.name);
	pill(state.firstChild, guest.state);
	drawMeter(meter, guest);
	drawRates(rates, guest);
	say(shares, String(guest.shares));
	say(why.firstChild, reason(guest));
	if (spark.offsetParent) drawSpark(spark, guest);
}

function sorted(guests) {
	const key = columns[order][2], way = turned ? -1 : 1;
	const byName = new Intl.Collator(undefined, {numeric: true}).compare;
	return [...guests].sort((a, b) => {
		const [left, right] = [key(a), key(b)];
		return way * (typeof left === 'string' ? byName(left, right) : left - right) || byName(a.name, b.name);
	});
}

function drawGuests(status) {
	const wanted = $('filter').value.trim().toLowerCase();
	const shown = sorted(status.guests).filter(guest =>
		[guest.name, guest.state, reason(guest)].some(text => text.toLowerCase().includes(wanted)));
	const body = $('guests').tBodies[0];
	shown.forEach((guest, i) => {
		if (!rows.has(guest.uuid)) rows.set(guest.uuid, makeRow(guest.uuid));
		const row = rows.get(guest.uuid);
		if (body.children[i] !== row) body.insertBefore(row, body.children[i] ?? null);
		drawRow(row, guest);
	});
	while (body.children.length > shown.length) body.lastChild.remove();
	for (const uuid of rows.keys())
		if (!status.guests.some(guest => guest.uuid === uuid)) rows.delete(uuid);
	$('none').hidden = shown.length > 0;
	say($('none'), status.guests.length ? 'No guest matches.' : 'No guest is running.');
	say($('guests-head'), `Guests (${status.guests.length})`);
	[...$('guests').tHead.rows[0].cells].forEach((head, i) =>
		head.setAttribute('aria-sort', i !== order ? 'none' : turned ? 'descending' : 'ascending'));
}

/* ---- one guest ---- */

let open = null; /* its uuid */

function lines(pairs) {
	return el('table', 'list', el('tbody', '', ...pairs.map(([name, text]) =>
		el('tr', '', el('td', 'quiet', name), el('td', '', text)))));
}

function grid(heads) {
	return el('table', 'list', el('thead', '', el('tr', '', ...heads.map(([name, look]) => {
		const head = el('th', look, name);
		head.scope = 'col';
		return head;
	}))), el('tbody'));
}

/* Names end in their unit; settings go by the names of momd.conf. */
const units = [['_kib_per_s', kib => size(kib) + '/s'], ['_kib', size], ['_ms', ms => lasted(ms / 1000)],
	['_s', lasted], ['_ratio', percent]];
const unitOf = key => units.find(([end]) => key.endsWith(end));
const settingKeys = {min: 'min_kib', max: 'max_kib', buffer: 'buffer_ratio', boot_grace: 'boot_grace_s'};

function valueText(key, value) {
	if (value == null) return 'unknown';
	if (typeof value === 'boolean') return value ? 'yes' : 'no';
	return typeof value === 'number' && unitOf(key) ? unitOf(key)[1](value) : String(value);
}
const bare = key => key.slice(0, key.length - (unitOf(key)?.[0].length ?? 0)).replaceAll('_', ' ');

function decisionText(decision) {
	const said = [];
	if (decision.policy || decision.because)
		said.push([decision.policy, decision.because].filter(text => text).join(': '));
	if (decision.guard) said.push('guard: ' + decision.guard);
	if (decision.outcome) said.push('outcome: ' + decision.outcome);
	return said.join('; ');
}

function decisionRow(decision) {
	const state = el('td', '', pill(el('span'), decision.state));
	return el('tr', '', el('td', 'n', lasted(decision.age_s)),
		el('td', 'n', lasted(decision.age_s - decision.last_age_s)), state,
		...['actual_kib', 'used_kib', 'demand_kib', 'wish_kib', 'target_kib'].map(key =>
			el('td', 'n', decision[key] == null ? '–' : size(decision[key]))),
		el('td', 'why', decisionText(decision)));
}

function makeDetail() {
	const plotted = el('figure', 'plot'), head = el('p'), facts = el('div');
	const settings = grid([['Setting'], ['Value'], ['From']]);
	const decisions = grid([['Ago', 'n'], ['For', 'n'], ['State'], ['Balloon', 'n'], ['Used', 'n'],
		['Demand', 'n'], ['Wish', 'n'], ['Target', 'n'], ['Why']]);
	const trouble = el('p', 'notice'), reported = el('div');
	trouble.hidden = true;
	$('guest-body').replaceChildren(head, plotted, trouble,
		el('div', 'two', el('div', '', el('h3', '', 'Memory'), facts), el('div', '', el('h3', '', 'Settings'), settings)),
		el('h3', '', 'Decisions, the latest first'), el('div', 'scroll', decisions),
		el('h3', '', 'Reported and learned'), reported);
	$('guest-body').parts = {head, plotted, facts, settings, decisions, trouble, reported};
}

function drawDetail(all) {
	const {head, facts, settings, decisions, trouble, reported} = $('guest-body').parts;
	const guest = all.guest;
	$('guest-head').replaceChildren(named(guest.name), ' ', pill(el('span'), guest.state));
	say(head, `${reason(guest)}${guest.reason_age_s == null ? '' : ` (${lasted(guest.reason_age_s)} ago)`}`);
	facts.replaceChildren(lines([
		['Balloon', `${size(guest.actual_kib)} of ${size(guest.max_kib)}, target ${size(guest.target_kib)}; never below ${size(guest.min_kib)}, above ${size(guest.limit_kib)}`],
		['Inside', `uses ${size(guest.used_kib)}, wants ${size(guest.demand_kib)}; statistics ${guest.quality}: ${qualities[guest.quality] ?? ''}`],
		['Outside', `may cost the host ${size(guest.cost_kib)}; resident ${size(guest.rss_kib)}, swapped ${size(guest.swap_kib)}, QEMU itself ${size(guest.overhead_kib)}`],
		['State', word(guest.state)[1]],
		['UUID', guest.uuid],
	]));
	trouble.hidden = !all.settings_trouble;
	say(trouble, all.settings_trouble ?? '');
	settings.tBodies[0].replaceChildren(...Object.entries(all.settings).map(([key, setting]) =>
		el('tr', '', el('td', '', key), el('td', '', valueText(settingKeys[key] ?? key, setting.value)), el('td', '', setting.from))));
	decisions.tBodies[0].replaceChildren(...all.decisions.map(decisionRow));
	reported.replaceChildren(el('p', 'quiet', Object.entries({...all.statistics, ...all.learned})
		.map(([key, value]) => `${bare(key)} ${valueText(key, value)}`).join(', ')));
}

function drawDetailPlot() {
	if (open && now) plot($('guest-body').parts.plotted, {...guestLines, rows: guestRows(open)});
}

async function refreshDetail() {
	const uuid = open;
	if (!uuid) return;
	if (String(getSelection())) return; /* somebody copies from it */
	try {
		const all = await get('/api/explain?guest=' + encodeURIComponent(uuid));
		if (open === uuid) drawDetail(all);
	} catch (error) {
		if (open === uuid && error.status) say($('guest-body').parts.head, error.message);
	}
}

function followHash() {
	const uuid = location.hash.slice(1);
	if (uuid === open || (!uuid && !open)) return;
	open = uuid || null;
	if (!open) return $('guest').close();
	makeDetail();
	say($('guest-head'), now?.guests.find(guest => guest.uuid === uuid)?.name ?? '');
	if (!$('guest').open) $('guest').showModal();
	drawDetailPlot();
	refreshDetail();
}

/* ---- what happened ---- */

let told = 0; /* the latest event's number */

function eventRow(event) {
	const time = el('time', '', clock(event.at, true));
	time.dateTime = new Date(event.at * 1000).toISOString();
	time.title = new Date(event.at * 1000).toLocaleString();
	const who = event.guest ?? (event.pool === 'host' ? 'the host' : event.pool);
	return el('li', 'at-' + event.level, time, el('span', '', ...(who ? [named(who), ': '] : []), event.text));
}

async function refreshEvents() {
	const list = $('events');
	try {
		const {events} = await get('/api/events?limit=100');
		if (list.firstChild && events.at(-1)?.id === told) return;
		told = events.at(-1)?.id;
		list.replaceChildren(...events.reverse().map(eventRow));
		if (!events.length) list.append(el('li', 'quiet', 'nothing yet'));
	} catch { /* the next look may find them */ }
}

/* ---- live ---- */

async function get(path) {
	const answer = await fetch(path, {cache: 'no-store', signal: AbortSignal.timeout(5000)});
	if (answer.ok) return answer.json();
	const error = Error((await answer.text()).trim());
	error.status = answer.status;
	throw error;
}

const sleep = ms => new Promise(done => setTimeout(done, ms));

function arrived(status) {
	const old = now, again = answered === null || document.body.classList.contains('stale');
	answered = Date.now();
	document.body.classList.remove('stale');
	$('away').hidden = true;
	$('link').className = 'link on';
	say($('link'), `live, ${clock(answered / 1000, true)}`);
	if (old && old.tick.count === status.tick.count && !again) return;
	now = status;
	remember(status);
	draw();
	refreshDetail();
	refreshEvents();
	refreshPast();
}

function draw() {
	drawHead(now);
	drawHost(now);
	drawGuests(now);
	drawDetailPlot();
}

function lost(error) {
	document.body.classList.add('stale');
	$('link').className = 'link off';
	say($('link'), 'not connected');
	$('away').hidden = false;
	say($('away'), (error.status ? `momd answers: ${error.message}.` : 'momd doesn\'t answer.') +
		(answered ? ` What you see is of ${clock(answered / 1000, true)}.` : '') + ' Trying again.');
}

async function live() {
	for (;;) {
		let wait = 1000;
		try {
			const status = await get('/api/status');
			arrived(status);
			wait = Math.min(Math.max(status.tick.period_ms ?? 1000, 250), 5000);
		} catch (error) {
			lost(error);
		}
		await sleep(document.hidden ? 10000 : wait);
	}
}

/* ---- the page ---- */

function makeSpans() {
	const choices = [[900, '15 min'], [3600, '1 h'], [21600, '6 h'], [86400, '24 h']];
	$('spans').append(...choices.map(([seconds, name]) => {
		const button = el('button', '', name);
		button.type = 'button';
		button.setAttribute('aria-pressed', seconds === span);
		button.addEventListener('click', () => {
			span = seconds;
			for (const one of $('spans').children) one.setAttribute('aria-pressed', one === button);
			if (!now) return;
			draw();
			refreshPast();
		});
		return button;
	}));
}

makeHead();
makeSpans();
$('filter').addEventListener('input', () => now && drawGuests(now));
$('guest').addEventListener('close', () => {
	open = null;
	history.replaceState(null, '', location.pathname);
});
$('guest').addEventListener('click', event => event.target === $('guest') && $('guest').close());
addEventListener('hashchange', followHash);
addEventListener('resize', () => now && draw());
addEventListener('keydown', event => {
	if (event.key === '/' && event.target === document.body) {
		event.preventDefault();
		$('filter').focus();
	}
});
live();
followHash();
