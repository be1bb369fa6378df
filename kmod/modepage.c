// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of mode pages, and what is made from it; see modepage.h.  Pure: called by mode.c and by the unit
 * tests, any context, no locks.
 */
#include "modepage.h"
#include "bytes.h"

#define SCUSE_MODE_FIELDS  8
#define SCUSE_MODE_FIXED   2
#define SCUSE_MODE_PS	   0x80 /* the page can be saved */
#define SCUSE_MODE_SPF	   0x40 /* subpage format */
#define SCUSE_MODE_LONGLBA 0x01

#define SCUSE_ASC_LIST_LENGTH 0x1a
#define SCUSE_ASC_LIST_FIELD  0x26
#define SCUSE_WHOLE_BYTE      0xff

struct scuse_mode_field {
	u8 byte;
	u8 shift;
	u8 width; /* bits; 0 ends the list */
	u8 value; /* enum scuse_mode_value */
};

struct scuse_mode_page {
	u8 code;
	u8 subcode;
	u8 length; /* bytes, with the page's header */
	struct scuse_mode_field fields[SCUSE_MODE_FIELDS];
	struct {
		u8 byte;
		u8 bits;
	} fixed[SCUSE_MODE_FIXED]; /* bits that are always 1 */
};

/* Ascending. */
static const struct scuse_mode_page scuse_mode_table[] = {
	/* Read-write error recovery (SBC-3 6.5.8) */
	{ .code = 0x01, .length = 12, .fields = { { 7, 7, 1, SCUSE_MODE_LBPERE } } },
	/* Caching (SBC-3 6.5.5) */
	{ .code = 0x08, .length = 20, .fields = { { 2, 2, 1, SCUSE_MODE_WCE } } },
	/* Control (SPC-4 7.5.8).  GLTSD: log parameters are not saved. */
	{ .code = 0x0a,
	  .length = 12,
	  .fields = { { 2, 3, 1, SCUSE_MODE_DPICZ },
		      { 2, 2, 1, SCUSE_MODE_D_SENSE },
		      { 3, 4, 4, SCUSE_MODE_QUEUE_MODIFIER },
		      { 4, 4, 2, SCUSE_MODE_UA_INTLCK },
		      { 4, 3, 1, SCUSE_MODE_SWP },
		      { 5, 7, 1, SCUSE_MODE_ATO },
		      { 5, 6, 1, SCUSE_MODE_TAS } },
	  .fixed = { { 2, 0x02 } } },
	/*
	 * Control extension (SPC-4 7.5.9).  TCMOS: the timestamp follows the host's clock, SCSIP: until SET
	 * TIMESTAMP is used.
	 */
	{ .code = 0x0a,
	  .subcode = 0x01,
	  .length = 32,
	  .fields = { { 4, 0, 1, SCUSE_MODE_IALUAE } },
	  .fixed = { { 4, 0x06 } } },
	/* Power condition (SPC-4 7.5.13) */
	{ .code = 0x1a, .length = 40 },
	/* Informational exceptions control (SPC-4 7.5.10).  DEXCPT: none are reported. */
	{ .code = 0x1c, .length = 12, .fixed = { { 2, 0x08 } } },
};

#define SCUSE_MODE_PAGES (sizeof(scuse_mode_table) / sizeof(scuse_mode_table[0]))

static const struct scuse_mode_page *scuse_mode_find(u8 code, u8 subcode)
{
	u32 i;

	for (i = 0; i < SCUSE_MODE_PAGES; i++) {
		if (scuse_mode_table[i].code == code && scuse_mode_table[i].subcode == subcode)
			return &scuse_mode_table[i];
	}
	return NULL;
}

static bool scuse_mode_matches(const struct scuse_mode_page *page, u8 code, u8 subcode)
{
	return (code == SCUSE_MODE_ALL_PAGES || page->code == code) &&
	       (subcode == SCUSE_MODE_ALL_SUBPAGES || page->subcode == subcode);
}

bool scuse_mode_known(u8 page, u8 subpage, bool *subpage_wrong)
{
	bool known = false;
	u32 i;

	/* All pages are asked for with subpage 00h or FFh only (SPC-4 table 150). */
	*subpage_wrong = page == SCUSE_MODE_ALL_PAGES;
	if (page == SCUSE_MODE_ALL_PAGES)
		return subpage == 0 || subpage == SCUSE_MODE_ALL_SUBPAGES;
	for (i = 0; i < SCUSE_MODE_PAGES; i++) {
		known |= scuse_mode_matches(&scuse_mode_table[i], page, subpage);
		*subpage_wrong |= scuse_mode_table[i].code == page;
	}
	return known;
}

static u8 scuse_mode_field_mask(const struct scuse_mode_field *field)
{
	return (u8)(((1u << field->width) - 1) << field->shift);
}

static bool scuse_mode_changeable(const struct scuse_mode_field *field, u32 changeable)
{
	return field->value < SCUSE_MODE_SETTINGS && changeable & (1u << field->value);
}

static u32 scuse_mode_header(u8 *to, const struct scuse_mode_page *page)
{
	to[0] = page->code | SCUSE_MODE_PS;
	if (!page->subcode) {
		to[1] = page->length - 2;
		return 2;
	}
	to[0] |= SCUSE_MODE_SPF;
	to[1] = page->subcode;
	scuse_put_be(&to[2], page->length - 4, 2);
	return 4;
}

/* @to has page->length bytes. */
static void scuse_mode_build(u8 *to, const struct scuse_mode_page *page,
			     const struct scuse_mode_values *values, const u32 *changeable)
{
	const struct scuse_mode_field *field;
	u32 i;

	memset(to, 0, page->length);
	scuse_mode_header(to, page);
	for (field = page->fields; field->width; field++) {
		if (!changeable)
			to[field->byte] |= (u8)(values->value[field->value] << field->shift) &
					   scuse_mode_field_mask(field);
		else if (scuse_mode_changeable(field, *changeable))
			to[field->byte] |= scuse_mode_field_mask(field);
	}
	for (i = 0; !changeable && i < SCUSE_MODE_FIXED; i++)
		to[page->fixed[i].byte] |= page->fixed[i].bits;
}

u32 scuse_mode_pages(u8 *to, u8 page, u8 subpage, const struct scuse_mode_values *values,
		     const u32 *changeable)
{
	u32 length = 0;
	u32 i;

	for (i = 0; i < SCUSE_MODE_PAGES; i++) {
		if (!scuse_mode_matches(&scuse_mode_table[i], page, subpage))
			continue;
		scuse_mode_build(to + length, &scuse_mode_table[i], values, changeable);
		length += scuse_mode_table[i].length;
	}
	return length;
}

static u32 scuse_mode_put_descriptor(u8 *to, bool long_lba, const struct scuse_mode_facts *facts)
{
	memset(to, 0, 16);
	if (long_lba) {
		scuse_put_be(&to[0], facts->blocks, 8);
		scuse_put_be(&to[12], facts->block_size, 4);
		return 16;
	}
	scuse_put_be(&to[0], facts->blocks > 0xffffffffu ? 0xffffffffu : facts->blocks, 4);
	scuse_put_be(&to[5], facts->block_size, 3);
	return 8;
}

u32 scuse_mode_sense(u8 *to, const struct scuse_mode_query *query, const struct scuse_mode_values *values,
		     const struct scuse_mode_facts *facts)
{
	u8 specific = (facts->write_protected ? 0x80 : 0) | (facts->dpofua ? 0x10 : 0);
	bool long_lba = query->ten && query->long_lba;
	u32 header = query->ten ? 8 : 4;
	u32 descriptor = 0, length;

	memset(to, 0, header);
	if (query->descriptor)
		descriptor = scuse_mode_put_descriptor(to + header, long_lba, facts);
	length = header + descriptor;
	length += scuse_mode_pages(to + length, query->page, query->subpage, values,
				   query->changeable ? &facts->changeable : NULL);
	/* The MODE DATA LENGTH does not count itself. */
	if (query->ten) {
		scuse_put_be(&to[0], length - 2, 2);
		to[3] = specific;
		to[4] = descriptor && long_lba ? SCUSE_MODE_LONGLBA : 0;
		scuse_put_be(&to[6], descriptor, 2);
	} else {
		to[0] = (u8)(length - 1);
		to[2] = specific;
		to[3] = (u8)descriptor;
	}
	return length;
}

static bool scuse_mode_wrong(struct scuse_mode_error *error, u8 asc, u32 byte, u8 bit)
{
	error->asc = asc;
	error->byte = (u16)byte;
	error->bit = bit;
	return false;
}

static u8 scuse_mode_highest_bit(u8 byte)
{
	u8 bit = 7;

	while (bit && !(byte & (1u << bit)))
		bit--;
	return bit;
}

/* Is the value one that the setting can have at all? */
static bool scuse_mode_value_ok(u8 value, u8 number)
{
	return value != SCUSE_MODE_UA_INTLCK || number != 1; /* SPC-4 table 392: 01b is reserved */
}

static u8 scuse_mode_extract(const u8 *bytes, const struct scuse_mode_field *field)
{
	return (bytes[field->byte] & scuse_mode_field_mask(field)) >> field->shift;
}

/* @bytes: a whole page at offset @at of the list.  Only what is changeable may differ. */
static bool scuse_mode_check_page(const u8 *bytes, u32 at, const struct scuse_mode_page *page,
				  const struct scuse_mode_facts *facts,
				  const struct scuse_mode_values *values, struct scuse_mode_error *error)
{
	u8 shown[64], mask[64];
	const struct scuse_mode_field *field;
	u32 i;

	scuse_mode_build(shown, page, values, NULL);
	scuse_mode_build(mask, page, values, &facts->changeable);
	for (i = page->subcode ? 4 : 2; i < page->length; i++) {
		u8 wrong = (bytes[i] ^ shown[i]) & ~mask[i];

		if (wrong)
			return scuse_mode_wrong(error, SCUSE_ASC_LIST_FIELD, at + i,
						scuse_mode_highest_bit(wrong));
	}
	for (field = page->fields; field->width; field++) {
		if (!scuse_mode_value_ok(field->value, scuse_mode_extract(bytes, field)))
			return scuse_mode_wrong(error, SCUSE_ASC_LIST_FIELD, at + field->byte,
						field->shift + field->width - 1);
	}
	return true;
}

static void scuse_mode_take_page(const u8 *bytes, const struct scuse_mode_page *page, u32 changeable,
				 struct scuse_mode_values *values)
{
	const struct scuse_mode_field *field;

	for (field = page->fields; field->width; field++) {
		if (scuse_mode_changeable(field, changeable))
			values->value[field->value] = scuse_mode_extract(bytes, field);
	}
}

/* The table's entry for the page at @at; NULL, with @error filled, if it is unknown or does not fit. */
static const struct scuse_mode_page *scuse_mode_next(const u8 *list, u32 length, u32 at,
						     struct scuse_mode_error *error)
{
	bool spf = list[at] & SCUSE_MODE_SPF;
	u32 header = spf ? 4 : 2;
	const struct scuse_mode_page *page;
	bool subpage_wrong;
	u8 subcode;

	if (length - at < header) {
		scuse_mode_wrong(error, SCUSE_ASC_LIST_LENGTH, 0, SCUSE_WHOLE_BYTE);
		return NULL;
	}
	subcode = spf ? list[at + 1] : 0;
	page = scuse_mode_find(list[at] & 0x3f, subcode);
	if (!page || (spf && !subcode)) {
		scuse_mode_known(list[at] & 0x3f, subcode, &subpage_wrong);
		if (spf && subpage_wrong)
			scuse_mode_wrong(error, SCUSE_ASC_LIST_FIELD, at + 1, SCUSE_WHOLE_BYTE);
		else
			scuse_mode_wrong(error, SCUSE_ASC_LIST_FIELD, at, 5);
		return NULL;
	}
	if (scuse_get_be(&list[at + header - (spf ? 2 : 1)], spf ? 2 : 1) != page->length - header) {
		scuse_mode_wrong(error, SCUSE_ASC_LIST_FIELD, at + header - (spf ? 2 : 1), SCUSE_WHOLE_BYTE);
		return NULL;
	}
	if (length - at < page->length) {
		scuse_mode_wrong(error, SCUSE_ASC_LIST_LENGTH, 0, SCUSE_WHOLE_BYTE);
		return NULL;
	}
	return page;
}

/* The pages from @at on.  @values may have been written to when false is returned. */
static bool scuse_mode_select_pages(const u8 *list, u32 length, u32 at, const struct scuse_mode_facts *facts,
				    struct scuse_mode_values *values, struct scuse_mode_error *error)
{
	while (at < length) {
		const struct scuse_mode_page *page;

		/* Reserved in MODE SELECT (SPC-4 7.5.7). */
		if (list[at] & SCUSE_MODE_PS)
			return scuse_mode_wrong(error, SCUSE_ASC_LIST_FIELD, at, 7);
		page = scuse_mode_next(list, length, at, error);
		if (!page)
			return false;
		if (!scuse_mode_check_page(&list[at], at, page, facts, values, error))
			return false;
		scuse_mode_take_page(&list[at], page, facts->changeable, values);
		at += page->length;
	}
	return true;
}

/*
 * SBC-3 6.5.2: zero, all ones, and the present number leave the capacity as it is; another would change it,
 * which is the handler's business.  The block length cannot change.
 */
static bool scuse_mode_check_descriptor(const u8 *list, u32 at, bool long_lba,
					const struct scuse_mode_facts *facts, struct scuse_mode_error *error)
{
	u32 size = long_lba ? 8 : 4;
	u64 ones = long_lba ? ~0ull : 0xffffffffu;
	u64 blocks = scuse_get_be(&list[at], size);
	u32 length_at = at + (long_lba ? 12 : 5);

	if (blocks && blocks != ones && blocks != facts->blocks)
		return scuse_mode_wrong(error, SCUSE_ASC_LIST_FIELD, at, SCUSE_WHOLE_BYTE);
	if (scuse_get_be(&list[length_at], long_lba ? 4 : 3) != facts->block_size)
		return scuse_mode_wrong(error, SCUSE_ASC_LIST_FIELD, length_at, SCUSE_WHOLE_BYTE);
	return true;
}

bool scuse_mode_select(const u8 *list, u32 length, bool ten, const struct scuse_mode_facts *facts,
		       struct scuse_mode_values *values, struct scuse_mode_error *error)
{
	u32 header = ten ? 8 : 4;
	u32 length_at = ten ? 6 : 3;
	struct scuse_mode_values wanted = *values;
	u32 descriptor;
	bool long_lba;

	if (length < header)
		return scuse_mode_wrong(error, SCUSE_ASC_LIST_LENGTH, 0, SCUSE_WHOLE_BYTE);
	/* SBC-3 6.5.1: the MEDIUM TYPE of a direct access device is 00h. */
	if (list[ten ? 2 : 1])
		return scuse_mode_wrong(error, SCUSE_ASC_LIST_FIELD, ten ? 2 : 1, SCUSE_WHOLE_BYTE);
	long_lba = ten && list[4] & SCUSE_MODE_LONGLBA;
	descriptor = (u32)scuse_get_be(&list[length_at], ten ? 2 : 1);
	if (descriptor && descriptor != (long_lba ? 16 : 8))
		return scuse_mode_wrong(error, SCUSE_ASC_LIST_FIELD, length_at, SCUSE_WHOLE_BYTE);
	if (length - header < descriptor)
		return scuse_mode_wrong(error, SCUSE_ASC_LIST_LENGTH, 0, SCUSE_WHOLE_BYTE);
	if (descriptor && !scuse_mode_check_descriptor(list, header, long_lba, facts, error))
		return false;
	if (!scuse_mode_select_pages(list, length, header + descriptor, facts, &wanted, error))
		return false;
	*values = wanted;
	return true;
}

static bool scuse_mode_settings_ok(const struct scuse_mode_values *values)
{
	u8 i;

	for (i = 0; i < SCUSE_MODE_SETTINGS; i++) {
		if (!scuse_mode_value_ok(i, values->value[i]))
			return false;
	}
	return true;
}

bool scuse_mode_restore(const u8 *pages, u32 length, struct scuse_mode_values *values)
{
	struct scuse_mode_values wanted = *values;
	struct scuse_mode_error error;
	u32 at = 0;

	while (at < length) {
		const struct scuse_mode_page *page = scuse_mode_next(pages, length, at, &error);

		if (!page)
			return false;
		scuse_mode_take_page(&pages[at], page, ~0u, &wanted);
		at += page->length;
	}
	if (!scuse_mode_settings_ok(&wanted))
		return false;
	*values = wanted;
	return true;
}
