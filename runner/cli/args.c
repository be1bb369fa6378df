/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parsing of arguments; see args.h.  Called by the commands.  Pure functions: nothing here looks at the
 * system.
 */
#include "args.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <scuse/abi.h>
#include "cli.h"

#define ISCSI_PORT 3260
#define IQN_PREFIX "iqn.2026-01.org.scuse:"
#define IQN_MAX	   223 /* RFC 3720, 3.2.6.1 */

/* Digits with at most nine behind the point, so that all stays in integers; false: not that. */
static bool parse_decimal(const char **text, uint64_t *whole, uint64_t *fraction, uint64_t *scale)
{
	const char *c = *text;

	*whole = *fraction = 0;
	*scale = 1;
	if (!g_ascii_isdigit(*c))
		return false;
	for (; g_ascii_isdigit(*c); c++)
		if (__builtin_mul_overflow(*whole, 10, whole) ||
		    __builtin_add_overflow(*whole, (uint64_t)(*c - '0'), whole))
			return false;
	if (*c == '.') {
		if (!g_ascii_isdigit(*++c))
			return false;
		for (; g_ascii_isdigit(*c); c++) {
			if (*scale >= 1000000000)
				return false;
			*fraction = *fraction * 10 + (uint64_t)(*c - '0');
			*scale *= 10;
		}
	}
	*text = c;
	return true;
}

static bool parse_scaled(const char *text, uint64_t *bytes)
{
	static const char units[] = "kmgtpe";
	uint64_t whole, fraction, scale, part;
	unsigned int shift = 0;

	if (!parse_decimal(&text, &whole, &fraction, &scale))
		return false;
	if (*text) {
		const char *unit = strchr(units, g_ascii_tolower(*text));

		if (!unit || (text[1] && g_ascii_strcasecmp(text + 1, "iB")))
			return false;
		shift = (unsigned int)(unit - units + 1) * 10;
	}
	if (shift && whole >> (64 - shift))
		return false;
	part = (uint64_t)(((unsigned __int128)fraction << shift) / scale);
	/* Half a byte is nobody's intention. */
	if (((unsigned __int128)fraction << shift) % scale)
		return false;
	return !__builtin_add_overflow(whole << shift, part, bytes);
}

bool parse_size(const char *text, const char *what, uint64_t *bytes, GError **error)
{
	if (parse_scaled(text, bytes))
		return true;
	return fail_usage(
		error, "%s '%s' is not a size: give bytes, or a number with k, M, G, T, P or E, such as 256M",
		what, text);
}

bool check_block_size(uint64_t block_size, GError **error)
{
	if (block_size >= 512 && block_size <= 4096 && (block_size & (block_size - 1)) == 0)
		return true;
	return fail_usage(error,
			  "--block-size %" G_GUINT64_FORMAT " is not possible: use 512, 1024, 2048 or 4096",
			  block_size);
}

bool check_size(uint64_t size, uint64_t block_size, GError **error)
{
	if (size == 0)
		return fail_usage(
			error, "a size of 0 is no LUN: give at least one block (%" G_GUINT64_FORMAT " bytes)",
			block_size);
	if (size % block_size == 0)
		return true;
	return fail_usage(error,
			  "size %" G_GUINT64_FORMAT " is not a multiple of the block size %" G_GUINT64_FORMAT
			  ": use %" G_GUINT64_FORMAT " or %" G_GUINT64_FORMAT,
			  size, block_size, MAX(size / block_size, 1) * block_size,
			  (size / block_size + 1) * block_size);
}

char *encode_name(const char *name, GError **error)
{
	char directory[SCUSE_NAME_MAX];
	int r = scuse_name_encode(name, directory, sizeof(directory));

	if (r > 0)
		return g_strdup(directory);
	if (!*name)
		fail_usage(error, "a LUN needs a name");
	else if (r == -ENAMETOOLONG)
		fail_usage(error,
			   "the name is too long: %d bytes are the limit ('/' and '%%' count as three)",
			   SCUSE_NAME_MAX - 1);
	else
		fail_usage(error, "'%s' cannot be a LUN's name: it has characters that cannot be printed",
			   name);
	return NULL;
}

char *decode_name(const char *directory)
{
	char name[SCUSE_NAME_MAX];

	return g_strdup(scuse_name_decode(directory, name, sizeof(name)) > 0 ? name : directory);
}

char *quote_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr("-_.:/@%+,", *c))
			return g_shell_quote(name);
	return g_strdup(name);
}

bool is_assignment(const char *argument)
{
	const char *c = argument;

	if (!g_ascii_islower(*c))
		return false;
	while (g_ascii_islower(*c) || g_ascii_isdigit(*c) || *c == '_' || *c == '-')
		c++;
	return *c == '=';
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (g_ascii_iscntrl(*text))
			return true;
	return false;
}

GPtrArray *config_lines(char **arguments, int count, const char *cwd, GError **error)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	const char *bare = NULL;
	size_t total = 1;

	for (int i = 0; i < count; i++) {
		bool assignment = is_assignment(arguments[i]);

		if (has_control(arguments[i])) {
			fail_usage(error,
				   "parameter '%s' has a line break or another control character in it",
				   arguments[i]);
			return NULL;
		}
		if (!assignment && bare) {
			fail_usage(error,
				   "'%s' and '%s': one argument may stand without KEY= (is a quote missing?)",
				   bare, arguments[i]);
			return NULL;
		}
		if (!assignment)
			bare = arguments[i];
		g_ptr_array_add(lines, g_strconcat(assignment ? "" : "=", arguments[i], NULL));
	}
	if (count && cwd && !has_control(cwd))
		g_ptr_array_add(lines, g_strconcat(".cwd=", cwd, NULL));
	for (guint i = 0; i < lines->len; i++)
		total += strlen(lines->pdata[i]) + 1;
	if (total > SCUSE_CONFIG_MAX) {
		fail_usage(error, "the parameters are too long: %zu bytes of %d", total, SCUSE_CONFIG_MAX);
		return NULL;
	}
	return g_steal_pointer(&lines);
}

/* ---- iSCSI ------------------------------------------------------------------------------------------ */

static bool parse_port(const char *text, uint16_t *port)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(text, 10, 1, 65535, &number, NULL))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* Splits ADDRESS and PORT; more than one colon without brackets is an IPv6 address. */
static bool split_portal(const char *text, struct portal *portal)
{
	const char *end = NULL, *colon = strrchr(text, ':');
	size_t length;

	portal->port = ISCSI_PORT;
	if (*text == '[') {
		end = strchr(++text, ']');
		if (!end || (end[1] && (end[1] != ':' || !parse_port(end + 2, &portal->port))))
			return false;
	} else if (colon && colon == strchr(text, ':')) {
		end = colon;
		if (!parse_port(colon + 1, &portal->port))
			return false;
	}
	length = end ? (size_t)(end - text) : strlen(text);
	if (length >= sizeof(portal->address))
		return false;
	memcpy(portal->address, text, length);
	portal->address[length] = 0;
	return true;
}

bool parse_portal(const char *text, struct portal *portal, GError **error)
{
	struct in_addr v4;
	struct in6_addr v6;

	memset(portal, 0, sizeof(*portal));
	if (split_portal(text, portal)) {
		if (inet_pton(AF_INET, portal->address, &v4) == 1) {
			portal->loopback = ntohl(v4.s_addr) >> 24 == 127;
			snprintf(portal->text, sizeof(portal->text), "%s:%u", portal->address, portal->port);
			return true;
		}
		if (inet_pton(AF_INET6, portal->address, &v6) == 1) {
			portal->loopback = IN6_IS_ADDR_LOOPBACK(&v6);
			/* The kernel shows and compares addresses in the canonical form. */
			inet_ntop(AF_INET6, &v6, portal->address, sizeof(portal->address));
			snprintf(portal->text, sizeof(portal->text), "[%s]:%u", portal->address,
				 portal->port);
			return true;
		}
	}
	return fail_usage(error,
			  "'%s' is not a portal: give ADDRESS:PORT with a numeric address, such as "
			  "127.0.0.1:3260 or [::1]:3260",
			  text);
}

char *default_iqn(const char *name)
{
	g_autofree char *checksum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
	GString *iqn = g_string_new(IQN_PREFIX);
	bool same = true;

	for (const char *c = name; *c && iqn->len < 128; c++) {
		char lower = g_ascii_tolower(*c);
		bool safe = g_ascii_isalnum(lower) || lower == '-' || lower == '.';

		same = same && safe && lower == *c;
		g_string_append_c(iqn, safe ? lower : '-');
	}
	if (!same || strlen(name) > 100)
		g_string_append_printf(iqn, "-%.8s", checksum);
	return g_string_free(iqn, FALSE);
}

bool check_iqn(const char *iqn, GError **error)
{
	bool good = g_str_has_prefix(iqn, "iqn.") || g_str_has_prefix(iqn, "eui.") ||
		    g_str_has_prefix(iqn, "naa.");

	for (const char *c = iqn; *c; c++)
		good = good && (g_ascii_islower(*c) || g_ascii_isdigit(*c) || strchr("-.:", *c));
	if (good && strlen(iqn) > 4 && strlen(iqn) <= IQN_MAX)
		return true;
	return fail_usage(error,
			  "'%s' is not an iSCSI name: it looks like %sNAME, with lower-case letters, digits, "
			  "'-', '.' and ':'",
			  iqn, IQN_PREFIX);
}
