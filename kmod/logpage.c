// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log pages; see logpage.h.  Pure: called by log.c and by the unit tests, any context, no locks.
 */
#include "logpage.h"
#include "bytes.h"

#define SCUSE_LOG_DS	       0x80 /* the page is not saved */
#define SCUSE_LOG_SPF	       0x40
#define SCUSE_LOG_ALL_SUBPAGES 0xff

/* Parameter control byte (SPC-4 table 284): TSD, and the format of the value. */
#define SCUSE_LOG_COUNTER 0x20
#define SCUSE_LOG_LIST	  0x23

#define SCUSE_LOG_NO_BIT 0xff

struct scuse_log_page {
	u8 code;
	bool lists; /* its parameters are lists, not counters: the page control does not matter */
	/* Appends the parameters whose code is @first or more; *last is the highest code that there is. */
	u32 (*build)(u8 *to, const struct scuse_log_values *values, u32 first, u32 *last);
};

static u32 scuse_log_parameter(u8 *to, u32 code, u8 control, u64 value, u8 size)
{
	scuse_put_be(&to[0], code, 2);
	to[2] = control;
	to[3] = size;
	scuse_put_be(&to[4], value, size);
	return 4 + size;
}

/* SBC-3 6.4.3, SPC-4 table 288: 0005h total bytes processed, 0006h total uncorrected errors. */
static u32 scuse_log_errors(u8 *to, const struct scuse_log_values *values, enum scuse_log_kind kind,
			    u32 first, u32 *last)
{
	u32 length = 0;

	*last = 0x0006;
	if (first <= 0x0005)
		length += scuse_log_parameter(to + length, 0x0005, SCUSE_LOG_COUNTER, values->bytes[kind], 8);
	if (first <= 0x0006)
		length += scuse_log_parameter(to + length, 0x0006, SCUSE_LOG_COUNTER,
					      values->uncorrected[kind], 8);
	return length;
}

static u32 scuse_log_write(u8 *to, const struct scuse_log_values *values, u32 first, u32 *last)
{
	return scuse_log_errors(to, values, SCUSE_LOG_WRITE, first, last);
}

static u32 scuse_log_read(u8 *to, const struct scuse_log_values *values, u32 first, u32 *last)
{
	return scuse_log_errors(to, values, SCUSE_LOG_READ, first, last);
}

static u32 scuse_log_verify(u8 *to, const struct scuse_log_values *values, u32 first, u32 *last)
{
	return scuse_log_errors(to, values, SCUSE_LOG_VERIFY, first, last);
}

/* SBC-3 6.4.4: a count of threshold sets, then the scope, of which the handler says nothing. */
static u32 scuse_log_resource(u8 *to, u32 code, u64 count)
{
	u32 length = scuse_log_parameter(to, code, SCUSE_LOG_LIST, 0, 8);

	scuse_put_be(&to[4], count > 0xffffffffu ? 0xffffffffu : count, 4);
	return length;
}

/* 0001h available, 0002h used LBA mapping resources */
static u32 scuse_log_provisioning(u8 *to, const struct scuse_log_values *values, u32 first, u32 *last)
{
	u32 length = 0;

	*last = values->usage ? 0x0002 : 0x0000;
	if (values->usage && first <= 0x0001)
		length += scuse_log_resource(to + length, 0x0001, values->available);
	if (values->usage && first <= 0x0002)
		length += scuse_log_resource(to + length, 0x0002, values->used);
	return length;
}

/* SPC-4 7.3.8: no exception (ASC and ASCQ zero), temperature not available (FFh). */
static u32 scuse_log_exceptions(u8 *to, const struct scuse_log_values *values, u32 first, u32 *last)
{
	(void)values;
	*last = 0x0000;
	return first ? 0 : scuse_log_parameter(to, 0x0000, SCUSE_LOG_LIST, 0x0000ff00, 4);
}

/* Ascending; the lists of supported pages (00h) are made from it. */
static const struct scuse_log_page scuse_log_table[] = {
	{ .code = 0x02, .build = scuse_log_write },
	{ .code = 0x03, .build = scuse_log_read },
	{ .code = 0x05, .build = scuse_log_verify },
	{ .code = 0x0c, .build = scuse_log_provisioning, .lists = true },
	{ .code = 0x2f, .build = scuse_log_exceptions, .lists = true },
};

#define SCUSE_LOG_PAGES (sizeof(scuse_log_table) / sizeof(scuse_log_table[0]))

static bool scuse_log_offered(const struct scuse_log_page *page, const struct scuse_log_values *values)
{
	return page->code != 0x0c || values->provisioning;
}

static const struct scuse_log_page *scuse_log_find(const struct scuse_log_values *values, u8 code)
{
	u32 i;

	for (i = 0; i < SCUSE_LOG_PAGES; i++) {
		if (scuse_log_table[i].code == code && scuse_log_offered(&scuse_log_table[i], values))
			return &scuse_log_table[i];
	}
	return NULL;
}

bool scuse_log_known(const struct scuse_log_values *values, u8 page, u8 subpage, bool *subpage_wrong)
{
	if (!page) {
		*subpage_wrong = true;
		return !subpage || subpage == SCUSE_LOG_ALL_SUBPAGES;
	}
	*subpage_wrong = scuse_log_find(values, page);
	return *subpage_wrong && !subpage;
}

u32 scuse_log_counters(u8 page)
{
	switch (page) {
	case 0x00:
		return 1u << SCUSE_LOG_WRITE | 1u << SCUSE_LOG_READ | 1u << SCUSE_LOG_VERIFY;
	case 0x02:
		return 1u << SCUSE_LOG_WRITE;
	case 0x03:
		return 1u << SCUSE_LOG_READ;
	case 0x05:
		return 1u << SCUSE_LOG_VERIFY;
	}
	return 0;
}

/* One byte a page, or two with the subpage. */
static u32 scuse_log_supported(u8 *to, const struct scuse_log_values *values, bool subpages)
{
	u32 length = 0;
	u32 i;

	to[length++] = 0x00;
	if (subpages) {
		to[length++] = 0x00;
		to[length++] = 0x00;
		to[length++] = SCUSE_LOG_ALL_SUBPAGES;
	}
	for (i = 0; i < SCUSE_LOG_PAGES; i++) {
		if (!scuse_log_offered(&scuse_log_table[i], values))
			continue;
		to[length++] = scuse_log_table[i].code;
		if (subpages)
			to[length++] = 0x00;
	}
	return length;
}

static u32 scuse_log_wrong(struct scuse_log_error *error, u8 asc, u32 byte, u8 bit)
{
	error->asc = asc;
	error->byte = (u16)byte;
	error->bit = bit;
	return 0;
}

u32 scuse_log_sense(u8 *to, const struct scuse_log_query *query, const struct scuse_log_values *values,
		    struct scuse_log_error *error)
{
	const struct scuse_log_page *page = scuse_log_find(values, query->page);
	struct scuse_log_values none = { .provisioning = values->provisioning };
	bool threshold =
		query->control == SCUSE_LOG_THRESHOLD || query->control == SCUSE_LOG_DEFAULT_THRESHOLD;
	u32 length, last = 0;
	bool subpage_wrong;

	if (!scuse_log_known(values, query->page, query->subpage, &subpage_wrong))
		return subpage_wrong ? scuse_log_wrong(error, 0x24, 3, SCUSE_LOG_NO_BIT)
				     : scuse_log_wrong(error, 0x24, 2, 5);
	if (page && !page->lists && threshold)
		return scuse_log_wrong(error, 0x24, 2, 7);
	if (page && !page->lists && query->control == SCUSE_LOG_DEFAULT_CUMULATIVE)
		values = &none;
	memset(to, 0, SCUSE_LOG_MAX);
	length = page ? page->build(&to[4], values, query->parameter, &last)
		      : scuse_log_supported(&to[4], values, query->subpage);
	if (query->parameter > last)
		return scuse_log_wrong(error, 0x24, 5, SCUSE_LOG_NO_BIT);
	to[0] = query->page | (page ? SCUSE_LOG_DS : 0) | (query->subpage ? SCUSE_LOG_SPF : 0);
	to[1] = query->subpage;
	scuse_put_be(&to[2], length, 2);
	return 4 + length;
}

bool scuse_log_select(const u8 *list, u32 length, const struct scuse_log_values *values,
		      struct scuse_log_error *error)
{
	bool subpage_wrong;
	u32 at;

	for (at = 0; at < length; at += 4) {
		if (length - at < 4)
			return scuse_log_wrong(error, 0x1a, 0, SCUSE_LOG_NO_BIT);
		if (!scuse_log_known(values, list[at] & 0x3f, list[at + 1], &subpage_wrong))
			return subpage_wrong ? scuse_log_wrong(error, 0x26, at + 1, SCUSE_LOG_NO_BIT)
					     : scuse_log_wrong(error, 0x26, at, 5);
		/* Parameters: the first one's code is what cannot be set. */
		if (scuse_get_be(&list[at + 2], 2))
			return length - at < 8 ? scuse_log_wrong(error, 0x1a, 0, SCUSE_LOG_NO_BIT)
					       : scuse_log_wrong(error, 0x26, at + 4, SCUSE_LOG_NO_BIT);
	}
	return true;
}
