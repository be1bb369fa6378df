/* SPDX-License-Identifier: MIT */
/*
 * LUN names and the names of their configfs directories.
 *
 * Called by programs (scuse, scuse-runner).  Encoding is the identity for most names; what it changes is
 * what a directory cannot be called.
 */
#include "internal.h"

#include <errno.h>
#include <string.h>

static const char hex[] = "0123456789ABCDEF";

/* Files that LIO itself has in core/scuse_N. */
static const char *const taken[] = { "hba_info", "hba_mode" };

static bool is_taken(const char *name)
{
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		if (!strcmp(name, taken[i]))
			return true;
	return false;
}

static bool in(uint32_t value, uint32_t low, uint32_t high)
{
	return value >= low && value <= high;
}

/*
 * The length of the UTF-8 character at `s`, 0 if there is none that can be printed: control characters
 * (C0, DEL, C1), surrogates, overlong forms, line separators.
 */
static size_t printable(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = s[0] < 0x80	       ? 1
			: in(s[0], 0xc2, 0xdf) ? 2
			: in(s[0], 0xe0, 0xef) ? 3
			: in(s[0], 0xf0, 0xf4) ? 4
					       : 0;
	uint32_t c;

	if (length == 0)
		return 0;
	c = length == 1 ? s[0] : s[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < 0x20 || in(c, 0x7f, 0x9f) || in(c, 0xd800, 0xdfff) || in(c, 0x2028, 0x2029))
		return 0;
	return c < least[length] || c > 0x10ffff ? 0 : length;
}

static bool is_printable(const char *name)
{
	const unsigned char *s = (const unsigned char *)name;
	size_t length;

	if (!*s)
		return false;
	for (; *s; s += length) {
		length = printable(s);
		if (!length)
			return false;
	}
	return true;
}

static int error(int code, char *out, size_t size)
{
	if (size)
		out[0] = 0;
	return code;
}

static size_t limit(size_t size)
{
	return size < SCUSE_NAME_MAX ? size : SCUSE_NAME_MAX;
}

SCUSE_API int scuse_name_encode(const char *name, char *out, size_t size)
{
	size_t room = limit(size), length = 0;
	bool first_too = name[0] == '.' || is_taken(name);

	if (!is_printable(name))
		return error(-EINVAL, out, size);
	for (size_t i = 0; name[i]; i++) {
		unsigned char c = (unsigned char)name[i];
		bool coded = c == '/' || c == '%' || (i == 0 && first_too);

		if (length + (coded ? 3 : 1) >= room)
			return error(-ENAMETOOLONG, out, size);
		if (coded) {
			out[length++] = '%';
			out[length++] = hex[c >> 4];
			out[length++] = hex[c & 15];
		} else {
			out[length++] = (char)c;
		}
	}
	out[length] = 0;
	return (int)length;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Directories that other tools made are decoded too: %XX may be any character that can be printed. */
SCUSE_API int scuse_name_decode(const char *directory, char *out, size_t size)
{
	size_t room = limit(size), length = 0;

	for (size_t i = 0; directory[i]; i++) {
		int c = (unsigned char)directory[i];

		if (c == '%') {
			int high = digit(directory[i + 1]);
			int low = high < 0 ? -1 : digit(directory[i + 2]);

			if (low < 0)
				return error(-EINVAL, out, size);
			c = high << 4 | low;
			i += 2;
		}
		if (length + 1 >= room)
			return error(-ENAMETOOLONG, out, size);
		if (!c)
			return error(-EINVAL, out, size);
		out[length++] = (char)c;
	}
	if (!room)
		return -ENAMETOOLONG;
	out[length] = 0;
	return is_printable(out) ? (int)length : error(-EINVAL, out, size);
}
