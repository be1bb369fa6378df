/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libscuse-netlink on real sockets, on any kernel: with the scuse module absent, the family "nlctrl" lets the
 * paths of opening, subscribing, dispatching and failing be walked.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include "internal.h"

static bool module_is_loaded(void)
{
	struct scuse_nl *nl = scuse_nl_open(0);

	scuse_nl_close(nl);
	return nl != NULL;
}

Test(open, says_that_the_module_is_missing)
{
	struct scuse_nl *nl;

	if (module_is_loaded())
		cr_skip_test("the scuse module is loaded here");
	nl = scuse_nl_open(0);
	cr_assert_null(nl);
	cr_assert_eq(errno, ENODEV);
	cr_assert_str_eq(scuse_nl_error(NULL), "the scuse kernel module is not loaded: modprobe scuse");
}

Test(open, without_the_module)
{
	static const struct scuse_nl_callbacks none = { .struct_size = sizeof(none) };
	struct scuse_nl_devices *devices = (void *)1;
	struct scuse_nl *nl;

	if (module_is_loaded())
		cr_skip_test("the scuse module is loaded here");
	nl = scuse_nl_open(SCUSE_NL_MODULE_OPTIONAL);
	cr_assert_not_null(nl);
	cr_assert_str_eq(scuse_nl_error(nl), "");
	cr_assert_eq(scuse_nl_get_devices(nl, &devices), -ENODEV);
	cr_assert_null(devices);
	cr_assert_eq(scuse_nl_resize(nl, 1, 512), -ENODEV);
	cr_assert_eq(scuse_nl_claim(nl, "file"), -ENODEV);
	cr_assert_eq(scuse_nl_reply(nl, 1, 0, NULL), -ENODEV);
	cr_assert_eq(scuse_nl_subscribe(nl, &none, NULL), 0);
	cr_assert_eq(scuse_nl_dispatch(nl, 0), 0);
	scuse_nl_close(nl);
}

Test(subscribe, to_a_module_that_may_come)
{
	struct scuse_nl_callbacks callbacks = { .struct_size = sizeof(callbacks),
						.module = (void (*)(void *, int))abort };
	struct scuse_nl *nl = scuse_nl_open(SCUSE_NL_MODULE_OPTIONAL);
	struct pollfd pollfd = { .fd = scuse_nl_fd(nl), .events = POLLIN };

	cr_assert_eq(scuse_nl_subscribe(nl, &callbacks, NULL), 0, "%s", scuse_nl_error(nl));
	cr_assert_not_null(nl->events);
	cr_assert_eq(poll(&pollfd, 1, 0), 0);
	cr_assert_eq(scuse_nl_dispatch(nl, 10), 0);
	callbacks.struct_size = 0;
	cr_assert_eq(scuse_nl_subscribe(nl, &callbacks, NULL), -EINVAL);
	scuse_nl_close(nl);
}

Test(dispatch, is_woken_by_what_came_between)
{
	struct scuse_nl *nl = scuse_nl_open(SCUSE_NL_MODULE_OPTIONAL);
	struct pollfd pollfd = { .fd = scuse_nl_fd(nl), .events = POLLIN };

	cr_assert_eq(scuse_nl_queue_message(nl, NULL), 0);
	cr_assert_eq(poll(&pollfd, 1, 0), 1);
	scuse_nl_dispatch(nl, 0);
	cr_assert_eq(poll(&pollfd, 1, 0), 0);
	cr_assert_null(nl->pending);
	scuse_nl_close(nl);
}

/* An error of the kernel's, with text: nlctrl is asked for a family that is not there. */
Test(exchange, brings_the_kernels_error)
{
	struct scuse_nl *nl = scuse_nl_open(SCUSE_NL_MODULE_OPTIONAL);
	struct scuse_nl_exchange exchange = { 0 };
	struct nl_msg *msg;

	if (nl->family >= 0)
		cr_skip_test("the scuse module is loaded here");
	nl->family = 0x10; /* GENL_ID_CTRL */
	cr_assert_eq(scuse_nl_message(nl, 100, NLM_F_ACK, &msg), 0);
	cr_assert_eq(scuse_nl_exchange(nl, nl->ask, msg, &exchange, 1000), -EOPNOTSUPP);
	cr_assert(strstr(scuse_nl_error(nl), "not supported") != NULL, "%s", scuse_nl_error(nl));
	nlmsg_free(msg);
	scuse_nl_close(nl);
}

Test(exchange, has_a_limit)
{
	struct scuse_nl *nl = scuse_nl_open(SCUSE_NL_MODULE_OPTIONAL);
	struct scuse_nl_exchange exchange = { 0 };
	struct nl_msg *msg;

	if (nl->family >= 0)
		cr_skip_test("the scuse module is loaded here");
	nl->family = 0x10;
	/* Without NLM_F_ACK a NOOP of nlctrl's is not answered: 3 is GETFAMILY, so ask for a good one with
	 * ack off. */
	cr_assert_eq(scuse_nl_message(nl, 3, 0, &msg), 0);
	nla_put_string(msg, 2 /* CTRL_ATTR_FAMILY_NAME */, "nlctrl");
	cr_assert_eq(scuse_nl_exchange(nl, nl->ask, msg, &exchange, 50), -ETIMEDOUT);
	nlmsg_free(msg);
	scuse_nl_close(nl);
}
