/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse: what people type: sizes, names, handler parameters, portals, iSCSI names.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <scuse/abi.h>
#include "args.h"
#include "create.h"
#include "cli.h"

static uint64_t size(const char *text)
{
	uint64_t bytes = 12345;

	cr_assert(parse_size(text, "size", &bytes, NULL), "%s", text);
	return bytes;
}

Test(sizes, accepted)
{
	cr_assert_eq(size("0"), 0);
	cr_assert_eq(size("4096"), 4096);
	cr_assert_eq(size("1k"), 1024);
	cr_assert_eq(size("256M"), 256ull << 20);
	cr_assert_eq(size("3g"), 3ull << 30);
	cr_assert_eq(size("2T"), 2ull << 40);
	cr_assert_eq(size("1.5G"), 3ull << 29);
	cr_assert_eq(size("10GiB"), 10ull << 30);
	cr_assert_eq(size("15E"), 15ull << 60);
	cr_assert_eq(size("18446744073709551615"), UINT64_MAX);
}

Test(sizes, refused)
{
	static const char *const bad[] = { "",	  "x",	  "1x",	 "-1",	 "+1",	" 1",  "1 ",
					   "1.",  ".5k",  "1.5", "0.3k", "1kB", "16E", "18446744073709551616",
					   "1e3", "0x10", "1kk" };
	uint64_t bytes;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		cr_assert_not(parse_size(bad[i], "size", &bytes, &error), "%s", bad[i]);
		cr_assert_eq(error->code, CLI_USAGE);
		cr_assert(strstr(error->message, "such as 256M") != NULL);
	}
}

Test(sizes, whole_blocks)
{
	g_autoptr(GError) error = NULL;

	cr_assert(check_size(4096, 512, NULL));
	cr_assert(check_size(1ull << 63, 4096, NULL));
	cr_assert_not(check_size(0, 512, NULL));
	cr_assert_not(check_size(1000, 512, &error));
	cr_assert_str_eq(error->message,
			 "size 1000 is not a multiple of the block size 512: use 512 or 1024");
	cr_assert(check_block_size(512, NULL) && check_block_size(4096, NULL));
	cr_assert_not(check_block_size(0, NULL) || check_block_size(256, NULL) ||
		      check_block_size(768, NULL) || check_block_size(8192, NULL));
}

Test(names, encoded)
{
	g_autofree char *directory = encode_name("a/b c", NULL), *name = decode_name(directory);
	g_autofree char *foreign = decode_name("100%");

	cr_assert_str_eq(directory, "a%2Fb c");
	cr_assert_str_eq(name, "a/b c");
	cr_assert_str_eq(foreign, "100%");
	cr_assert_null(encode_name("", NULL));
	cr_assert_null(encode_name("a\nb", NULL));
}

Test(parameters, assignments)
{
	cr_assert(is_assignment("path=/x"));
	cr_assert(is_assignment("a="));
	cr_assert(is_assignment("max-size_2=1"));
	cr_assert_not(is_assignment("/dir/a=b"));
	cr_assert_not(is_assignment("Path=/x"));
	cr_assert_not(is_assignment("=x"));
	cr_assert_not(is_assignment("x"));
	cr_assert_not(is_assignment("2x=1"));
	cr_assert_not(is_assignment(".cwd=/"));
}

Test(parameters, lines)
{
	char *arguments[] = { (char *)"disk.img", (char *)"direct=on", (char *)"x=a=b c" };
	g_autoptr(GPtrArray) lines = config_lines(arguments, 3, "/tmp", NULL);

	cr_assert_eq(lines->len, 4);
	cr_assert_str_eq(lines->pdata[0], "=disk.img");
	cr_assert_str_eq(lines->pdata[1], "direct=on");
	cr_assert_str_eq(lines->pdata[2], "x=a=b c");
	cr_assert_str_eq(lines->pdata[3], ".cwd=/tmp");
}

Test(parameters, none)
{
	g_autoptr(GPtrArray) lines = config_lines(NULL, 0, "/tmp", NULL);

	cr_assert_eq(lines->len, 0);
}

Test(parameters, refused)
{
	char *two[] = { (char *)"a", (char *)"b" }, *newline[] = { (char *)"x=1\ny=2" };
	g_autofree char *long_one = g_strnfill(SCUSE_CONFIG_MAX, 'x');
	char *too_long[] = { long_one };
	g_autoptr(GError) error = NULL;

	cr_assert_null(config_lines(two, 2, "/", &error));
	cr_assert(strstr(error->message, "KEY=") != NULL);
	cr_assert_null(config_lines(newline, 1, "/", NULL));
	cr_assert_null(config_lines(too_long, 1, "/", NULL));
}

static void check_portal(const char *text, const char *canonical, bool loopback)
{
	struct portal portal;

	cr_assert(parse_portal(text, &portal, NULL), "%s", text);
	cr_assert_str_eq(portal.text, canonical);
	cr_assert_eq(portal.loopback, loopback);
}

Test(portals, accepted)
{
	check_portal("127.0.0.1", "127.0.0.1:3260", true);
	check_portal("127.0.0.2:3261", "127.0.0.2:3261", true);
	check_portal("0.0.0.0:1", "0.0.0.0:1", false);
	check_portal("[::1]:3262", "[::1]:3262", true);
	check_portal("[::1]", "[::1]:3260", true);
	check_portal("::1", "[::1]:3260", true);
	check_portal("2001:DB8:0::1", "[2001:db8::1]:3260", false);
}

Test(portals, refused)
{
	static const char *const bad[] = { "",
					   "host:3260",
					   "127.0.0.1:",
					   "127.0.0.1:0",
					   "127.0.0.1:65536",
					   "127.0.0.1:x",
					   "[::1",
					   "[::1]3260",
					   "[127.0.0.1]x",
					   "1.2.3:3260",
					   "::g" };
	struct portal portal;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		cr_assert_not(parse_portal(bad[i], &portal, NULL), "%s", bad[i]);
}

Test(iqns, defaults)
{
	g_autofree char *plain = default_iqn("disk-1.a"), *odd = default_iqn("Disk 1/a"),
			*other = default_iqn("disk 1/a");

	cr_assert_str_eq(plain, "iqn.2026-01.org.scuse:disk-1.a");
	cr_assert(g_str_has_prefix(odd, "iqn.2026-01.org.scuse:disk-1-a-"));
	cr_assert_str_neq(odd, other);
	cr_assert(check_iqn(plain, NULL) && check_iqn(odd, NULL) && check_iqn(other, NULL));
	cr_assert_not(check_iqn("disk", NULL) || check_iqn("iqn.", NULL) || check_iqn("iqn.A:x", NULL) ||
		      check_iqn("iqn.x/../y", NULL));
}

/* ---- plans of LUNs ---------------------------------------------------------------------------------- */

Test(plans, protection)
{
	static const char *const good[] = { NULL, "0", "1", "3" }, *const bad[] = { "", "2", "01", "1 ",
										    "x" };

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		struct create_options from = { .protection = good[i] };
		g_auto(plan) what = { 0 };

		cr_assert(create_make_plan("a", "memory", NULL, 0, &from, &what, NULL));
		cr_assert_eq(what.protection, good[i]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct create_options from = { .protection = bad[i] };
		g_autoptr(GError) error = NULL;
		g_auto(plan) what = { 0 };

		cr_assert_not(create_make_plan("a", "memory", NULL, 0, &from, &what, &error));
		cr_assert(strstr(error->message, "--protection"), "%s", error->message);
	}
}
