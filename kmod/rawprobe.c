// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands that ask a device about itself and their answers, see rawprobe.h.  Pure: called by rawparam.c
 * and by the unit tests, any context, no locks.
 */
#include "rawprobe.h"
#include "bytes.h"

#define SCUSE_PAGE_NONE	   0x00 /* header and block descriptor alone, of a tape */
#define SCUSE_PAGE_CONTROL 0x0a
#define SCUSE_PAGE_ALL	   0x3f
#define SCUSE_PAGE_CODE	   0x3f
#define SCUSE_PAGE_SPF	   0x40 /* subpage format */
#define SCUSE_DSP_WP	   0x80 /* device-specific parameter */

#define SCUSE_UNKNOWN_LBA 0xffffffffu /* READ CAPACITY (10): more blocks than it can say */

/* A way to ask for mode parameters. */
struct scuse_form {
	u8 code;
	u8 page;
};

#define SCUSE_FORMS 3

/*
 * MODE SENSE (6) is what tape drives and disks have in common, MMC-6 knows (10) only.  To page 00h tape
 * drives answer with header and block descriptor; the control page is optional for them.
 */
static const struct scuse_form scuse_tape_forms[SCUSE_FORMS] = {
	{ 0x1a, SCUSE_PAGE_CONTROL },
	{ 0x1a, SCUSE_PAGE_NONE },
	{ 0x5a, SCUSE_PAGE_CONTROL },
};
static const struct scuse_form scuse_cd_forms[SCUSE_FORMS] = {
	{ 0x5a, SCUSE_PAGE_CONTROL },
	{ 0x5a, SCUSE_PAGE_ALL },
	{ 0x1a, SCUSE_PAGE_ALL },
};
static const struct scuse_form scuse_other_forms[SCUSE_FORMS] = {
	{ 0x1a, SCUSE_PAGE_CONTROL },
	{ 0x5a, SCUSE_PAGE_CONTROL },
	{ 0x1a, SCUSE_PAGE_ALL },
};

static const struct scuse_form *scuse_forms(u8 type)
{
	if (type == SCUSE_TYPE_TAPE)
		return scuse_tape_forms;
	return type == SCUSE_TYPE_CD ? scuse_cd_forms : scuse_other_forms;
}

static bool scuse_has_capacity(u8 type)
{
	return type == SCUSE_TYPE_DISK || type == SCUSE_TYPE_CD || type == SCUSE_TYPE_OPTICAL ||
	       type == SCUSE_TYPE_REDUCED || type == SCUSE_TYPE_ZONED;
}

bool scuse_probe_has_blocks(u8 type)
{
	return type == SCUSE_TYPE_TAPE || scuse_has_capacity(type);
}

void scuse_probe_start(struct scuse_probe *probe, u8 type)
{
	memset(probe, 0, sizeof(*probe));
	probe->type = type;
	probe->stage = scuse_has_capacity(type) ? SCUSE_PROBE_CAPACITY_10 : SCUSE_PROBE_MODE;
}

static void scuse_mode_command(const struct scuse_form *form, struct scuse_probe_command *command)
{
	command->cdb[0] = form->code;
	command->cdb[2] = form->page;
	command->length = SCUSE_PROBE_LENGTH;
	if (form->code == 0x1a)
		command->cdb[4] = SCUSE_PROBE_LENGTH;
	else
		scuse_put_be(&command->cdb[7], SCUSE_PROBE_LENGTH, 2);
}

bool scuse_probe_command(const struct scuse_probe *probe, struct scuse_probe_command *command)
{
	memset(command, 0, sizeof(*command));
	switch ((enum scuse_probe_stage)probe->stage) {
	case SCUSE_PROBE_CAPACITY_10:
		command->cdb[0] = 0x25;
		command->length = 8;
		return true;
	case SCUSE_PROBE_CAPACITY_16:
		command->cdb[0] = 0x9e;
		command->cdb[1] = 0x10;
		command->length = 32;
		scuse_put_be(&command->cdb[10], command->length, 4);
		return true;
	case SCUSE_PROBE_MODE:
		scuse_mode_command(&scuse_forms(probe->type)[probe->form], command);
		return true;
	default:
		return false;
	}
}

/* @size: bytes of the last block's address, which the length of a block follows; false: no answer */
static bool scuse_take_capacity(struct scuse_probe *probe, const u8 *data, u32 length, u32 size)
{
	u64 last;

	if (length < size + 4)
		return false;
	last = scuse_get_be(data, size);
	if ((size == 4 && last == SCUSE_UNKNOWN_LBA) || last + 1 == 0)
		return false;
	probe->facts.blocks = last + 1;
	probe->facts.block_length = (u32)scuse_get_be(&data[size], 4);
	probe->facts.has_blocks = probe->facts.block_length;
	return true;
}

static void scuse_take_control(struct scuse_facts *facts, const u8 *page, u32 length)
{
	if (length < 5)
		return;
	facts->has_control = true;
	memcpy(facts->control, page, length < SCUSE_PROBE_CONTROL ? length : SCUSE_PROBE_CONTROL);
	facts->d_sense = page[2] & 0x04;
	facts->swp = page[4] & 0x08;
}

/* Looks for the control page (SPC-4 7.5.8) among the pages of an answer. */
static void scuse_take_pages(struct scuse_facts *facts, const u8 *pages, u32 length)
{
	u32 size;

	for (; length >= 4; pages += size, length -= size) {
		bool sub = pages[0] & SCUSE_PAGE_SPF;

		size = sub ? 4 + (u32)scuse_get_be(&pages[2], 2) : 2 + (u32)pages[1];
		if (size > length)
			size = length;
		if (!sub && (pages[0] & SCUSE_PAGE_CODE) == SCUSE_PAGE_CONTROL)
			scuse_take_control(facts, pages, size);
	}
}

/* The general block descriptor (SPC-4 7.5.6), which tape drives use; false: it is not there. */
static bool scuse_take_descriptor(struct scuse_probe *probe, const u8 *descriptor, u32 length)
{
	if (probe->type != SCUSE_TYPE_TAPE)
		return true;
	if (length < 8)
		return false;
	probe->facts.density = descriptor[0];
	probe->facts.block_length = (u32)scuse_get_be(&descriptor[5], 3);
	probe->facts.has_blocks = true;
	return true;
}

/* Mode parameters (SPC-4 7.5); false: they do not tell what is wanted. */
static bool scuse_take_mode(struct scuse_probe *probe, const u8 *data, u32 length)
{
	bool short_form = scuse_forms(probe->type)[probe->form].code == 0x1a;
	struct scuse_facts *facts = &probe->facts;
	u32 header = short_form ? 4 : 8;
	u32 descriptors, said;

	if (length < header)
		return false;
	said = short_form ? 1 + (u32)data[0] : 2 + (u32)scuse_get_be(data, 2);
	if (said < length)
		length = said;
	if (length < header)
		return false;
	descriptors = short_form ? data[3] : (u32)scuse_get_be(&data[6], 2);
	if (descriptors > length - header)
		descriptors = length - header;
	if (!scuse_take_descriptor(probe, &data[header], descriptors))
		return false;
	facts->has_mode = true;
	facts->medium_type = data[short_form ? 1 : 2];
	facts->write_protected = data[short_form ? 2 : 3] & SCUSE_DSP_WP;
	scuse_take_pages(facts, &data[header + descriptors], length - header - descriptors);
	return true;
}

void scuse_probe_answer(struct scuse_probe *probe, const u8 *data, u32 length)
{
	switch ((enum scuse_probe_stage)probe->stage) {
	case SCUSE_PROBE_CAPACITY_10:
		probe->stage = scuse_take_capacity(probe, data, length, 4) ? SCUSE_PROBE_MODE
									   : SCUSE_PROBE_CAPACITY_16;
		break;
	case SCUSE_PROBE_CAPACITY_16:
		scuse_take_capacity(probe, data, length, 8);
		probe->stage = SCUSE_PROBE_MODE;
		break;
	case SCUSE_PROBE_MODE:
		if (scuse_take_mode(probe, data, length))
			probe->stage = SCUSE_PROBE_DONE;
		else
			scuse_probe_refused(probe);
		break;
	default:
		break;
	}
}

void scuse_probe_refused(struct scuse_probe *probe)
{
	if (probe->stage < SCUSE_PROBE_MODE)
		probe->stage++;
	else if (++probe->form == SCUSE_FORMS)
		probe->stage = SCUSE_PROBE_DONE;
}

void scuse_probe_failed(struct scuse_probe *probe)
{
	probe->stage = probe->stage < SCUSE_PROBE_MODE ? SCUSE_PROBE_MODE : SCUSE_PROBE_DONE;
}

bool scuse_probe_attention(struct scuse_probe *probe)
{
	u8 attentions = probe->attentions + 1;

	if (attentions > SCUSE_PROBE_ATTENTIONS)
		return false;
	scuse_probe_start(probe, probe->type);
	probe->attentions = attentions;
	return true;
}
