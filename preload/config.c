/* SPDX-License-Identifier: MIT */
/* config.c - parsing of name=value,name=value into struct config, by the rows of format/toggles.def. */
#include "preload/config.h"

#include <signal.h>
#include <stddef.h>

#include "format/record.h"
#include "preload/text.h"

struct config config;
static bool is_telling;

enum type {
	TYPE_heap,
	TYPE_rate,
	TYPE_duration,
	TYPE_size,
	TYPE_count,
	TYPE_text,
	TYPE_children,
	TYPE_period,
	TYPE_flag
};

struct toggle {
	const char *name, *fallback, *values, *help;
	enum type type;
	void *field;
};

static const struct toggle toggles[] = {
#define TOGGLE(field, type, name, fallback, values, help) { name, fallback, values, help, TYPE_##type, &config.field },
#include "format/toggles.def"
};
#define TOGGLES (sizeof(toggles) / sizeof(toggles[0]))

/* A number with an optional fraction ("1.5"), scaled by 1000 into *milli; what follows it, or NULL if there is none. */
static const char *parse_milli(const char *s, const char *end, uint64_t *milli)
{
	uint64_t value = 0, place = 1000;
	const char *p = s;

	while (p < end && *p >= '0' && *p <= '9') {
		if (value > UINT64_MAX / 10000000)
			return NULL;
		value = value * 10 + (uint64_t)(*p++ - '0');
	}
	if (p == s)
		return NULL;
	value *= 1000;
	if (p < end && *p == '.')
		for (p++; p < end && *p >= '0' && *p <= '9'; p++)
			if (place > 1)
				value += (uint64_t)(*p - '0') * (place /= 10);
	*milli = value;
	return p;
}

struct unit {
	const char *name;
	uint64_t factor;
};
static const struct unit time_units[] = {
	{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { "", 1 }
};
static const struct unit size_units[] = { { "k", 1 << 10 }, { "m", 1 << 20 }, { "g", 1 << 30 }, { "K", 1 << 10 },
					  { "M", 1 << 20 }, { "G", 1 << 30 }, { "", 1 } };

static bool parse_units(const char *s, const char *end, const struct unit *units, size_t n, uint64_t *out)
{
	uint64_t milli;
	const char *rest = parse_milli(s, end, &milli);

	if (!rest)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text_same_n(rest, (size_t)(end - rest), units[i].name)) {
			unsigned __int128 value = (unsigned __int128)milli * units[i].factor / 1000;

			if (value >= CONFIG_OFF)
				return false;
			*out = (uint64_t)value;
			return true;
		}
	return false;
}

/* A number of something that has no halves. */
static bool parse_whole(const char *s, const char *end, uint64_t *out)
{
	uint64_t milli;

	if (parse_milli(s, end, &milli) != end || milli % 1000)
		return false;
	*out = milli / 1000;
	return true;
}

#define PARSE(s, end, units, out) parse_units(s, end, units, sizeof(units) / sizeof((units)[0]), out)

bool config_duration(const char *s, uint64_t *ns)
{
	return PARSE(s, s + text_len(s), time_units, ns);
}

bool config_size(const char *s, uint64_t *bytes)
{
	return PARSE(s, s + text_len(s), size_units, bytes);
}

static bool parse_heap(const char *s, const char *end)
{
	static const char sample[] = "sample:";
	uint64_t bytes;

	if (text_same_n(s, (size_t)(end - s), "off"))
		config.heap = RSD_HEAP_OFF;
	else if (text_same_n(s, (size_t)(end - s), "exact"))
		config.heap = RSD_HEAP_EXACT;
	else if ((size_t)(end - s) > sizeof(sample) - 1 && text_same_n(s, sizeof(sample) - 1, sample) &&
		 PARSE(s + sizeof(sample) - 1, end, size_units, &bytes) && bytes) {
		config.heap = bytes == 1 ? RSD_HEAP_EXACT : RSD_HEAP_SAMPLE;
		config.sample_bytes = bytes;
	} else
		return false;
	return true;
}

static bool parse_text(const char *s, const char *end, char *field)
{
	struct text t;

	if (end - s >= CONFIG_TEXT_MAX)
		return false;
	t = text_on(field, CONFIG_TEXT_MAX);
	text_bytes(&t, s, (size_t)(end - s));
	return true;
}

/* "children==REGEX": the value itself begins with '='. */
static bool parse_children(const char *s, const char *end)
{
	if (text_same_n(s, (size_t)(end - s), "on"))
		config.children = CHILDREN_ON;
	else if (text_same_n(s, (size_t)(end - s), "off"))
		config.children = CHILDREN_OFF;
	else if (s < end && *s == '=' && parse_text(s + 1, end, config.children_match))
		config.children = CHILDREN_MATCH;
	else
		return false;
	return true;
}

static bool parse_number(const struct toggle *toggle, const char *s, const char *end)
{
	uint64_t *field = toggle->field;
	uint64_t value;
	bool off = text_same_n(s, (size_t)(end - s), "off");

	switch (toggle->type) {
	case TYPE_duration:
		if (!off && !PARSE(s, end, time_units, &value))
			return false;
		*field = off ? CONFIG_OFF : value;
		return true;
	case TYPE_size:
		if (!off && !PARSE(s, end, size_units, &value))
			return false;
		break;
	default:
		if (!off && !parse_whole(s, end, &value))
			return false;
		break;
	}
	if (off)
		value = 0;
	if (toggle->type == TYPE_rate && value > 10000)
		return false;
	if (toggle->type == TYPE_flag && value > 1)
		return false;
	if ((toggle->field == &config.freestack || toggle->field == &config.alloctime) && value > UINT32_MAX)
		return false;
	if (toggle->field == &config.depth && (value < 1 || value > RSD_DEPTH_MAX))
		return false;
	*field = value;
	return true;
}

/* What follows `kind` in [s, end), NULL when that begins otherwise or nothing follows. */
static const char *after(const char *s, const char *end, const char *kind)
{
	size_t len = text_len(kind);

	return (size_t)(end - s) > len && text_same_n(s, len, kind) ? s + len : NULL;
}

int config_signal(const char *name, size_t len)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "HUP", SIGHUP },   { "INT", SIGINT },	    { "QUIT", SIGQUIT }, { "USR1", SIGUSR1 },
		{ "USR2", SIGUSR2 }, { "TERM", SIGTERM },   { "ALRM", SIGALRM }, { "URG", SIGURG },
		{ "PWR", SIGPWR },   { "WINCH", SIGWINCH },
	};

	if (len > 3 && text_same_n(name, 3, "SIG")) {
		name += 3;
		len -= 3;
	}
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (text_same_n(name, len, signals[i].name))
			return signals[i].number;
	return 0;
}

static bool is_trigger(const char *s, const char *end)
{
	const char *number;
	uint64_t ignored;

	if ((number = after(s, end, "block:")))
		return PARSE(number, end, time_units, &ignored);
	if ((number = after(s, end, "rss:")))
		return PARSE(number, end, size_units, &ignored);
	if ((number = after(s, end, "signal:")))
		return config_signal(number, (size_t)(end - number)) != 0;
	return s == end;
}

static bool is_reach(const char *s, const char *end)
{
	const char *name = after(s, end, "signal:");

	return name ? config_signal(name, (size_t)(end - name)) != 0
		    : text_same_n(s, (size_t)(end - s), "exit") || text_same_n(s, (size_t)(end - s), "mark") ||
			       text_same_n(s, (size_t)(end - s), "off");
}

static bool is_text(const struct toggle *toggle, const char *s, const char *end)
{
	if (toggle->field == config.trigger)
		return is_trigger(s, end);
	return toggle->field == config.reach ? is_reach(s, end) : s < end;
}

static bool toggle_set(const struct toggle *toggle, const char *s, const char *end)
{
	switch (toggle->type) {
	case TYPE_heap:
		return parse_heap(s, end);
	case TYPE_text:
		return is_text(toggle, s, end) && parse_text(s, end, toggle->field);
	case TYPE_children:
		return parse_children(s, end);
	default:
		return parse_number(toggle, s, end);
	}
}

/* Edit distance by insertions, deletions and replacements, of short names. */
static unsigned distance(const char *a, size_t a_len, const char *b)
{
	unsigned row[32];
	size_t b_len = text_len(b);

	if (b_len > 30)
		return 99;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned up = row[j];
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			if (up + 1 < best)
				best = up + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = up;
			row[j] = best;
		}
	}
	return row[b_len];
}

static const char *nearest_name(const char *name, size_t len)
{
	const char *best = NULL;
	unsigned best_distance = (unsigned)len / 2 + 1; /* more than half of it wrong is another word */

	for (size_t i = 0; i < TOGGLES; i++) {
		unsigned d = distance(name, len, toggles[i].name);

		if (d < best_distance) {
			best_distance = d;
			best = toggles[i].name;
		}
	}
	return best;
}

static void warn_unknown(const char *name, size_t len)
{
	char buf[256];
	struct text t = text_on(buf, sizeof(buf));
	const char *near = nearest_name(name, len > 64 ? 64 : len);

	if (!is_telling)
		return;
	text_str(&t, "unknown toggle \"");
	text_shown(&t, name, len > 64 ? 64 : len);
	text_str(&t, "\" in RINGSIDE");
	if (near) {
		text_str(&t, ", did you mean \"");
		text_str(&t, near);
		text_str(&t, "\"?");
	} else {
		text_str(&t, "; help=1 lists them all");
	}
	text_say(buf);
}

static void toggle_reset(const struct toggle *toggle)
{
	toggle_set(toggle, toggle->fallback, toggle->fallback + text_len(toggle->fallback));
}

static void warn_value(const struct toggle *toggle, const char *value, size_t len)
{
	char buf[256];
	struct text t = text_on(buf, sizeof(buf));

	if (!is_telling)
		return;
	text_str(&t, "bad value \"");
	text_shown(&t, value, len > 64 ? 64 : len);
	text_str(&t, "\" for toggle ");
	text_str(&t, toggle->name);
	text_str(&t, ", want ");
	text_str(&t, toggle->values);
	text_str(&t, "; it stays at ");
	text_str(&t, *toggle->fallback ? toggle->fallback : "off");
	text_say(buf);
}

/* One name=value of [s, end). */
static void parse_one(const char *s, const char *end)
{
	const char *equals = s;

	while (equals < end && *equals != '=')
		equals++;
	for (size_t i = 0; i < TOGGLES; i++) {
		if (!text_same_n(s, (size_t)(equals - s), toggles[i].name))
			continue;
		if (equals == end || !toggle_set(&toggles[i], equals + 1, end)) {
			toggle_reset(&toggles[i]); /* a good value before it does not count: the last one wins */
			warn_value(&toggles[i], equals < end ? equals + 1 : end,
				   equals < end ? (size_t)(end - equals - 1) : 0);
		}
		return;
	}
	warn_unknown(s, (size_t)(equals - s));
}

/* In the largest unit that keeps it whole, so that it can be typed back. */
static void print_duration(struct text *t, uint64_t ns)
{
	unsigned unit = 3; /* of time_units: s, ms, us, ns */

	while (unit && ns % time_units[unit].factor)
		unit--;
	text_u64(t, ns / time_units[unit].factor);
	text_str(t, time_units[unit].name);
}

static void print_value(struct text *t, const struct toggle *toggle)
{
	uint64_t value = *(const uint64_t *)toggle->field;

	switch (toggle->type) {
	case TYPE_heap:
		text_str(t, config.heap == RSD_HEAP_OFF ? "off" : config.heap == RSD_HEAP_EXACT ? "exact" : "sample:");
		if (config.heap == RSD_HEAP_SAMPLE)
			text_u64(t, config.sample_bytes);
		break;
	case TYPE_text:
		text_str(t, toggle->field);
		break;
	case TYPE_children:
		text_str(t, config.children == CHILDREN_ON ? "on" : config.children == CHILDREN_OFF ? "off" : "=");
		if (config.children == CHILDREN_MATCH)
			text_str(t, config.children_match);
		break;
	case TYPE_duration:
		if (value == CONFIG_OFF) {
			text_str(t, "off");
		} else {
			print_duration(t, value);
		}
		break;
	default:
		text_u64(t, value);
	}
}

static void print_help(void)
{
	text_say("the toggles of RINGSIDE=name=value,... with their values now:");
	for (size_t i = 0; i < TOGGLES; i++) {
		char buf[CONFIG_TEXT_MAX + 256];
		struct text t = text_on(buf, sizeof(buf));
		size_t column;

		text_str(&t, "  ");
		text_str(&t, toggles[i].name);
		text_str(&t, "=");
		print_value(&t, &toggles[i]);
		for (column = t.len; column < 30; column++)
			text_str(&t, " ");
		text_str(&t, "  ");
		text_str(&t, toggles[i].help);
		text_str(&t, " (");
		text_str(&t, toggles[i].values);
		text_str(&t, ")");
		text_say(buf);
	}
}

void config_read(const char *value)
{
	struct text given = text_on(config.toggles, sizeof(config.toggles));

	config.sample_bytes = 512 << 10;
	for (size_t i = 0; i < TOGGLES; i++)
		toggle_reset(&toggles[i]);
	if (!value)
		return;
	text_str(&given, value);
	while (*value) {
		const char *end = value;

		while (*end && *end != ',')
			end++;
		if (end > value)
			parse_one(value, end);
		value = *end ? end + 1 : end;
	}
}

void config_tell(const char *value)
{
	is_telling = true;
	config_read(value);
	if (config.help)
		print_help();
	is_telling = false;
}
