// SPDX-License-Identifier: GPL-2.0-only
/*
 * What initiators see of a device's mode and log pages, and what they may send back; see mask.h.  Pure:
 * called by mask.c, raw.c and the unit tests, any context, no locks.
 *
 * Mode pages that are hidden, and refused in a parameter list:
 *
 *	02h	disconnect-reconnect: of the device's transport
 *	0Ah/02h	application tags: no protection information
 *	0Ah/F1h	parallel ATA control: of the device's transport
 *	18h,19h	protocol-specific LUN and port: of the device's transport
 *
 * Log pages that are hidden: 18h, protocol-specific port.
 */
#include "bytes.h"
#include "mask.h"
#include "modepage.h"

#define SCUSE_CDB_MODE_SELECT_10 0x55
#define SCUSE_CDB_MODE_SENSE_10	 0x5a

#define SCUSE_ALL_SUBPAGES 0xff

/*
 * Fields of mode pages that the device does not decide, because it would do so for all initiators as if they
 * were one: what scuse_mask_shown() says is shown, and nothing else can be set.
 */
struct scuse_mask_field {
	u8 page;
	u8 subpage;
	u8 at;
	u8 bits;
};

static const struct scuse_mask_field scuse_mask_fields[] = {
	/*
	 * Control (SPC-4 7.5.8).  TST: there is one task set; TMF_ONLY: no ACA; DPICZ: no protection
	 * information.  D_SENSE, GLTSD and RLEC stay the device's: sense data and logs are.
	 */
	{ 0x0a, 0x00, 2, 0xf8 },
	/* QUEUE ALGORITHM MODIFIER: see scuse_mask_shown(); NUAR, QERR: LIO aborts none for that; DQUE */
	{ 0x0a, 0x00, 3, 0xff },
	/* UA_INTLCK_CTRL: unit attentions are the kernel half's; the last three: obsolete.  SWP, RAC stay */
	{ 0x0a, 0x00, 4, 0x37 },
	/* ATO, ATMPE, RWWP: no protection information; TAS: LIO ends tasks.  AUTOLOAD MODE stays */
	{ 0x0a, 0x00, 5, 0xf0 },
	/* Control extension (SPC-4 7.5.9).  TCMOS: third-party copies; SCSIP, IALUAE: ours, not its */
	{ 0x0a, 0x01, 4, 0x07 },
	{ 0x0a, 0x01, 5, 0x0f }, /* INITIAL COMMAND PRIORITY: LIO has no priorities */
	{ 0x0a, 0x01, 6, 0xff }, /* MAXIMUM SENSE DATA LENGTH: of what comes from the kernel half, too */
	/* Control data protection (SSC-4 8.3.9): transfers would have other lengths than their CDBs say. */
	{ 0x0a, 0xf0, 4, 0xff }, /* LOGICAL BLOCK PROTECTION METHOD */
	{ 0x0a, 0xf0, 5, 0x3f }, /* LOGICAL BLOCK PROTECTION INFORMATION LENGTH */
	{ 0x0a, 0xf0, 6, 0xff }, /* LBP_W, LBP_R, RBDP */
};

#define SCUSE_MASK_FIELDS (sizeof(scuse_mask_fields) / sizeof(scuse_mask_fields[0]))

static bool scuse_mask_mode_hidden(u8 page, u8 subpage)
{
	return page == 0x02 || page == 0x18 || page == 0x19 ||
	       (page == 0x0a && (subpage == 0x02 || subpage == 0xf1));
}

static bool scuse_mask_log_hidden(u8 page)
{
	return page == 0x18;
}

/* What a field shows: in the page's place, only bits of the field. */
static u8 scuse_mask_shown(const struct scuse_mask *mask, const struct scuse_mask_field *field)
{
	/* Disks and CDs keep no order of simple tasks; tapes and changers carry out one at a time. */
	if (!field->subpage && field->at == 3)
		return mask->device_type == 0x00 || mask->device_type == 0x05 ? 0x10 : 0x00;
	if (!field->subpage && field->at == 5)
		return mask->tas ? 0x40 : 0x00;
	if (field->subpage == 0x01 && field->at == 4)
		return mask->tpgs & 0x01;
	return 0;
}

/* Bytes of the page whose start @at is, as it says itself; 0: its header is not all there. */
static u32 scuse_mask_page_length(const u8 *at, u32 left)
{
	if (left < 2 || (at[0] & 0x40 && left < 4))
		return 0;
	return at[0] & 0x40 ? 4 + (u32)scuse_get_be(&at[2], 2) : 2u + at[1];
}

static u8 scuse_mask_subpage(const u8 *at)
{
	return at[0] & 0x40 ? at[1] : 0;
}

/* Is a field in the page that starts @at and has @left bytes? */
static bool scuse_mask_field_in(const struct scuse_mask_field *field, const u8 *at, u32 left)
{
	return field->page == (at[0] & 0x3f) && field->subpage == scuse_mask_subpage(at) && field->at < left;
}

static void scuse_mask_show_page(const struct scuse_mask *mask, u8 *at, u32 left, bool changeable)
{
	u32 i;

	for (i = 0; i < SCUSE_MASK_FIELDS; i++) {
		const struct scuse_mask_field *field = &scuse_mask_fields[i];

		if (!scuse_mask_field_in(field, at, left))
			continue;
		at[field->at] &= (u8)~field->bits;
		if (!changeable)
			at[field->at] |= scuse_mask_shown(mask, field);
	}
}

/*
 * Edits the pages from @at to @end.  Returns where they end now, and adds to @gone what the hidden ones had,
 * by their own account.
 */
static u32 scuse_mask_show_pages(const struct scuse_mask *mask, u8 *data, u32 at, u32 end, bool changeable,
				 u32 *gone)
{
	while (at < end) {
		u32 length = scuse_mask_page_length(&data[at], end - at);
		u32 here = !length || length > end - at ? end - at : length;

		/* The start of a header tells the page, not the subpage. */
		if (scuse_mask_mode_hidden(data[at] & 0x3f, length ? scuse_mask_subpage(&data[at]) : 0)) {
			memmove(&data[at], &data[at + here], end - at - here);
			end -= here;
			*gone += length ? length : here;
			continue;
		}
		if (length)
			scuse_mask_show_page(mask, &data[at], here, changeable);
		at += here;
	}
	return end;
}

u32 scuse_mask_mode(const struct scuse_mask *mask, const u8 *cdb, u8 *data, u32 length)
{
	bool ten = cdb[0] == SCUSE_CDB_MODE_SENSE_10;
	u32 size = ten ? 2 : 1; /* of MODE DATA LENGTH, which does not count itself */
	u32 header = ten ? 8 : 4;
	u32 said, start, end, gone = 0;

	/* WP: of disks and tapes (SBC-3 6.5.1, SSC-4 8.3.1) */
	if (mask->write_protected && mask->device_type <= 0x01 && length > size + 1)
		data[size + 1] |= 0x80;
	if (length < header)
		return length;
	said = (u32)scuse_get_be(data, size);
	end = size + said < length ? size + said : length;
	start = header + (ten ? (u32)scuse_get_be(&data[6], 2) : data[3]);
	if (start > end)
		return end < header ? header : end;
	end = scuse_mask_show_pages(mask, data, start, end, cdb[2] >> 6 == SCUSE_MODE_CHANGEABLE, &gone);
	scuse_put_be(data, gone < said ? said - gone : 0, size);
	return end;
}

enum scuse_mask_verdict scuse_mask_ask_mode(const u8 *cdb)
{
	return scuse_mask_mode_hidden(cdb[2] & 0x3f, cdb[3]) ? SCUSE_MASK_HIDDEN : SCUSE_MASK_PASS;
}

enum scuse_mask_verdict scuse_mask_ask_log(const u8 *cdb)
{
	return scuse_mask_log_hidden(cdb[2] & 0x3f) ? SCUSE_MASK_HIDDEN : SCUSE_MASK_PASS;
}

/* Only the lists of pages, and of pages with subpages, are edited (SPC-4 7.3.17, 7.3.18). */
u32 scuse_mask_log(const u8 *cdb, u8 *data, u32 length)
{
	u32 step = cdb[3] == SCUSE_ALL_SUBPAGES ? 2 : 1;
	u32 from, to = 4, end, said;

	if (cdb[2] & 0x3f || length < 4)
		return length;
	said = (u32)scuse_get_be(&data[2], 2);
	end = said + 4 < length ? said + 4 : length;
	for (from = 4; from < end; from += step) {
		u32 here = end - from < step ? end - from : step;

		if (scuse_mask_log_hidden(data[from] & 0x3f)) {
			said -= step < said ? step : said;
			continue;
		}
		memmove(&data[to], &data[from], here);
		to += here;
	}
	scuse_put_be(&data[2], said, 2);
	return to;
}

static u8 scuse_mask_highest(u8 bits)
{
	u8 bit = 7;

	while (bit && !(bits & 1u << bit))
		bit--;
	return bit;
}

static bool scuse_mask_refuse(struct scuse_mode_error *error, u32 byte, u8 bit)
{
	error->asc = 0x26;
	error->byte = (u16)byte;
	error->bit = bit;
	return false;
}

/* One page of a parameter list, @left bytes from @at on. */
static bool scuse_mask_take_page(const struct scuse_mask *mask, u8 *list, u32 at, u32 left, const u8 *control,
				 u32 control_length, struct scuse_mode_error *error)
{
	u32 i;

	for (i = 0; i < SCUSE_MASK_FIELDS; i++) {
		const struct scuse_mask_field *field = &scuse_mask_fields[i];
		u8 *byte = &list[at + field->at];
		u8 own = 0, wrong;

		if (!scuse_mask_field_in(field, &list[at], left))
			continue;
		wrong = (*byte ^ scuse_mask_shown(mask, field)) & field->bits;
		if (wrong)
			return scuse_mask_refuse(error, at + field->at, scuse_mask_highest(wrong));
		if (!field->subpage && control && field->at < control_length)
			own = control[field->at];
		*byte = (u8)((*byte & ~field->bits) | (own & field->bits));
	}
	return true;
}

bool scuse_mask_select(const struct scuse_mask *mask, const u8 *cdb, u8 *list, u32 length, const u8 *control,
		       u32 control_length, struct scuse_mode_error *error)
{
	bool ten = cdb[0] == SCUSE_CDB_MODE_SELECT_10;
	u32 at = ten ? 8 : 4;

	if (length < at)
		return true;
	at += ten ? (u32)scuse_get_be(&list[6], 2) : list[3];
	while (at < length) {
		u32 left = length - at;
		u32 page = scuse_mask_page_length(&list[at], left);

		if (!page)
			return true;
		if (scuse_mask_mode_hidden(list[at] & 0x3f, scuse_mask_subpage(&list[at])))
			return scuse_mask_refuse(error, at, 5);
		if (page < left)
			left = page;
		if (!scuse_mask_take_page(mask, list, at, left, control, control_length, error))
			return false;
		at += page;
	}
	return true;
}
