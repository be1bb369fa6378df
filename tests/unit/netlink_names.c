/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libscuse-netlink through its public interface alone: LUN names, and words for numbers.  Also proof that the
 * shared library exports what the header declares.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <scuse/netlink.h>

static void check(const char *name, const char *directory)
{
	char out[SCUSE_NAME_MAX];

	cr_assert_eq(scuse_name_encode(name, out, sizeof(out)), (int)strlen(directory), "%s", name);
	cr_assert_str_eq(out, directory);
	cr_assert_eq(scuse_name_decode(directory, out, sizeof(out)), (int)strlen(name), "%s", directory);
	cr_assert_str_eq(out, name);
}

Test(names, round_trip)
{
	check("disk1", "disk1");
	check("a b:c", "a b:c");
	check("a/b", "a%2Fb");
	check("100%", "100%25");
	check(".", "%2E");
	check("..", "%2E.");
	check(".x.", "%2Ex.");
	check("x.", "x.");
	check("hba_info", "%68ba_info");
	check("hba_info2", "hba_info2");
	check("Gr\xc3\xb6\xc3\x9f"
	      "e",
	      "Gr\xc3\xb6\xc3\x9f"
	      "e");
	check("%2F", "%252F");
}

Test(names, refused)
{
	static const char *const bad[] = {
		"",	    "a\nb",	    "tab\t",	    "\x7f",	"\xc3",
		"\xc2\x85", "\xe2\x80\xa8", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"
	};
	char out[SCUSE_NAME_MAX] = "full";

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_assert_eq(scuse_name_encode(bad[i], out, sizeof(out)), -EINVAL, "%zu", i);
		cr_assert_str_eq(out, "");
	}
	cr_assert_eq(scuse_name_decode("a%2", out, sizeof(out)), -EINVAL);
	cr_assert_eq(scuse_name_decode("a%", out, sizeof(out)), -EINVAL);
	cr_assert_eq(scuse_name_decode("a%zz", out, sizeof(out)), -EINVAL);
	cr_assert_eq(scuse_name_decode("a%00b", out, sizeof(out)), -EINVAL);
	cr_assert_eq(scuse_name_decode("a%0Ab", out, sizeof(out)), -EINVAL);
}

Test(names, lengths)
{
	char name[SCUSE_NAME_MAX + 1], out[SCUSE_NAME_MAX + 64];

	memset(name, 'x', sizeof(name));
	name[SCUSE_NAME_MAX] = 0;
	cr_assert_eq(scuse_name_encode(name, out, sizeof(out)), -ENAMETOOLONG);
	name[SCUSE_NAME_MAX - 1] = 0;
	cr_assert_eq(scuse_name_encode(name, out, sizeof(out)), SCUSE_NAME_MAX - 1);
	name[0] = '/';
	cr_assert_eq(scuse_name_encode(name, out, sizeof(out)), -ENAMETOOLONG);

	/* Every size of buffer, with guards: nothing is written behind it. */
	for (size_t size = 0; size < 8; size++) {
		memset(out, '#', sizeof(out));
		cr_assert_eq(scuse_name_encode("a/b", out, size), size > 5 ? 5 : -ENAMETOOLONG);
		cr_assert_eq(out[size], '#');
		memset(out, '#', sizeof(out));
		cr_assert_eq(scuse_name_decode("a%2Fb", out, size), size > 3 ? 3 : -ENAMETOOLONG);
		cr_assert_eq(out[size], '#');
	}
}

Test(words, known_and_unknown)
{
	cr_assert_str_eq(scuse_nl_event_name(SCUSE_EVENT_DEVICE_ADDED), "device-added");
	cr_assert_str_eq(scuse_nl_event_name(SCUSE_EVENT_UNIT_ATTENTION), "unit-attention");
	cr_assert_str_eq(scuse_nl_event_name(SCUSE_EVENT_UNSPEC), "unknown");
	cr_assert_str_eq(scuse_nl_event_name(UINT32_MAX), "unknown");
	cr_assert_str_eq(scuse_nl_state_name(SCUSE_STATE_ONLINE), "online");
	cr_assert_str_eq(scuse_nl_state_name(99), "unknown");
}

Test(words, nothing_is_let_pass)
{
	scuse_nl_close(NULL);
	scuse_nl_devices_free(NULL);
	scuse_nl_queues_free(NULL);
	scuse_nl_statistics_free(NULL);
	scuse_nl_owners_free(NULL);
	scuse_nl_device_free(NULL);
	cr_assert_null(scuse_nl_open(~0u));
	cr_assert_eq(errno, EINVAL);
	cr_assert_str_neq(scuse_nl_error(NULL), "");
}
