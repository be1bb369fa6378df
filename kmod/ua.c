// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of unit attention conditions, see ua.h.  Callers serialise everything but scuse_ua_pending().
 */
#include "ua.h"

u32 scuse_ua_rank(u8 asc, u8 ascq)
{
	switch (asc << 8 | ascq) {
	case 0x2900: /* power on, reset, or bus device reset occurred */
		return 0;
	case 0x2901: /* power on occurred */
	case 0x2904: /* device internal reset */
		return 1;
	case 0x2902: /* SCSI bus reset occurred */
	case 0x3f01: /* microcode has been changed */
		return 2;
	case 0x2903: /* bus device reset function occurred */
		return 3;
	case 0x2907: /* I_T nexus loss occurred */
		return 4;
	case 0x2f01: /* commands cleared by power loss notification */
		return 5;
	default:
		return 6;
	}
}

static bool scuse_ua_before(const struct scuse_ua_own *a, const struct scuse_ua_own *b)
{
	u32 rank_a = scuse_ua_rank(a->asc, a->ascq);
	u32 rank_b = scuse_ua_rank(b->asc, b->ascq);

	return rank_a != rank_b ? rank_a < rank_b : a->sequence < b->sequence;
}

static u64 scuse_ua_bit(u64 sequence)
{
	return (u64)1 << (sequence % SCUSE_UA_EVENTS);
}

/* The oldest event that the log still has, or the next one to come. */
static u64 scuse_ua_oldest(const struct scuse_ua_log *log)
{
	return log->next > SCUSE_UA_EVENTS ? log->next - SCUSE_UA_EVENTS : 1;
}

void scuse_ua_log_init(struct scuse_ua_log *log)
{
	*log = (struct scuse_ua_log){ .next = 1 };
}

const struct scuse_ua_event *scuse_ua_log_event(const struct scuse_ua_log *log, u64 sequence)
{
	if (sequence < scuse_ua_oldest(log) || sequence >= log->next)
		return NULL;
	return &log->events[sequence % SCUSE_UA_EVENTS];
}

/* The place of a code among the lost ones; the least severe and oldest one is given up for it if need be. */
static struct scuse_ua_lost *scuse_ua_lost_place(struct scuse_ua_log *log, const struct scuse_ua_event *event)
{
	struct scuse_ua_own worst = {},
			    mine = { .sequence = event->sequence, .asc = event->asc, .ascq = event->ascq };
	struct scuse_ua_lost *place = NULL;
	u32 i;

	for (i = 0; i < log->nr_lost; i++) {
		const struct scuse_ua_event *last = &log->lost[i].last;
		u32 rank = scuse_ua_rank(last->asc, last->ascq);
		u32 worst_rank = scuse_ua_rank(worst.asc, worst.ascq);

		if (last->asc == event->asc && last->ascq == event->ascq)
			return &log->lost[i];
		if (place && (rank < worst_rank || (rank == worst_rank && last->sequence > worst.sequence)))
			continue;
		place = &log->lost[i];
		worst = (struct scuse_ua_own){ last->sequence, last->asc, last->ascq };
	}
	if (log->nr_lost < SCUSE_UA_CODES)
		place = &log->lost[log->nr_lost++];
	else if (scuse_ua_rank(mine.asc, mine.ascq) > scuse_ua_rank(worst.asc, worst.ascq))
		return NULL;
	*place = (struct scuse_ua_lost){};
	return place;
}

/* An event falls out of the log. */
static void scuse_ua_lose(struct scuse_ua_log *log, const struct scuse_ua_event *event)
{
	struct scuse_ua_lost *lost = scuse_ua_lost_place(log, event);

	if (!lost)
		return;
	if (lost->last.sequence && lost->last.spared != event->spared)
		lost->other = lost->last;
	lost->last = *event;
}

void scuse_ua_log_add(struct scuse_ua_log *log, u8 asc, u8 ascq, u32 spared, u64 time)
{
	struct scuse_ua_event *event = &log->events[log->next % SCUSE_UA_EVENTS];

	if (log->next > SCUSE_UA_EVENTS)
		scuse_ua_lose(log, event);
	*event = (struct scuse_ua_event){
		.sequence = log->next, .time = time, .spared = spared, .asc = asc, .ascq = ascq
	};
	WRITE_ONCE(log->next, log->next + 1);
}

u64 scuse_ua_log_after(const struct scuse_ua_log *log, u64 time)
{
	u64 sequence = log->next;
	u32 i;

	while (sequence > scuse_ua_oldest(log) && log->events[(sequence - 1) % SCUSE_UA_EVENTS].time > time)
		sequence--;
	for (i = 0; i < log->nr_lost; i++) {
		const struct scuse_ua_lost *lost = &log->lost[i];

		if (lost->last.time > time && lost->last.sequence < sequence)
			sequence = lost->last.sequence;
		if (lost->other.time > time && lost->other.sequence < sequence)
			sequence = lost->other.sequence;
	}
	return sequence;
}

void scuse_ua_reader_init(struct scuse_ua_reader *reader, u32 nexus, u64 next)
{
	*reader = (struct scuse_ua_reader){ .nexus = nexus, .next = next };
}

/* Adds a condition of the nexus's own; of too many, the least severe and youngest is given up. */
static void scuse_ua_own_add(struct scuse_ua_reader *reader, const struct scuse_ua_own *own)
{
	u32 i, worst = 0;

	for (i = 0; i < reader->nr_own; i++) {
		if (reader->own[i].asc == own->asc && reader->own[i].ascq == own->ascq)
			return;
		if (scuse_ua_before(&reader->own[worst], &reader->own[i]))
			worst = i;
	}
	if (reader->nr_own < SCUSE_UA_CODES)
		reader->own[reader->nr_own++] = *own;
	else if (scuse_ua_before(own, &reader->own[worst]))
		reader->own[worst] = *own;
}

void scuse_ua_own(struct scuse_ua_reader *reader, const struct scuse_ua_log *log, u8 asc, u8 ascq)
{
	struct scuse_ua_own own = { .sequence = log->next, .asc = asc, .ascq = ascq };

	scuse_ua_own_add(reader, &own);
	WRITE_ONCE(reader->settled, 0);
}

static bool scuse_ua_told(const struct scuse_ua_reader *reader, u64 sequence)
{
	return sequence < reader->next ||
	       (sequence - reader->next < SCUSE_UA_EVENTS && reader->told & scuse_ua_bit(sequence));
}

/* The events that fell out before the reader had dealt with them become its own. */
static void scuse_ua_catch_up(struct scuse_ua_reader *reader, const struct scuse_ua_log *log)
{
	u64 oldest = scuse_ua_oldest(log);
	u32 i;

	if (reader->next >= oldest)
		return;
	for (i = 0; i < log->nr_lost; i++) {
		const struct scuse_ua_event *event = &log->lost[i].last;
		struct scuse_ua_own own;

		if (event->spared == reader->nexus)
			event = &log->lost[i].other;
		if (!event->sequence || scuse_ua_told(reader, event->sequence))
			continue;
		own = (struct scuse_ua_own){ event->sequence, event->asc, event->ascq };
		scuse_ua_own_add(reader, &own);
	}
	for (; reader->next < oldest && reader->told; reader->next++)
		reader->told &= ~scuse_ua_bit(reader->next);
	reader->next = oldest;
}

/* Moves on over what has been dealt with. */
static void scuse_ua_advance(struct scuse_ua_reader *reader, const struct scuse_ua_log *log)
{
	while (reader->next < log->next) {
		const struct scuse_ua_event *event = &log->events[reader->next % SCUSE_UA_EVENTS];

		if (event->spared != reader->nexus && !scuse_ua_told(reader, event->sequence))
			return;
		reader->told &= ~scuse_ua_bit(reader->next);
		reader->next++;
	}
	if (!reader->nr_own)
		WRITE_ONCE(reader->settled, log->next);
}

bool scuse_ua_first(struct scuse_ua_reader *reader, const struct scuse_ua_log *log,
		    struct scuse_ua_code *code)
{
	struct scuse_ua_own best = {};
	bool found = false;
	u64 sequence;
	u32 i;

	scuse_ua_catch_up(reader, log);
	scuse_ua_advance(reader, log);
	for (i = 0; i < reader->nr_own; i++) {
		if (found && !scuse_ua_before(&reader->own[i], &best))
			continue;
		best = reader->own[i];
		found = true;
	}
	for (sequence = reader->next; sequence < log->next; sequence++) {
		const struct scuse_ua_event *event = &log->events[sequence % SCUSE_UA_EVENTS];
		struct scuse_ua_own own = { sequence, event->asc, event->ascq };

		if (event->spared == reader->nexus || scuse_ua_told(reader, sequence) ||
		    (found && !scuse_ua_before(&own, &best)))
			continue;
		best = own;
		found = true;
	}
	if (found)
		*code = (struct scuse_ua_code){ best.asc, best.ascq };
	return found;
}

void scuse_ua_clear(struct scuse_ua_reader *reader, const struct scuse_ua_log *log,
		    const struct scuse_ua_code *code)
{
	u64 sequence;
	u32 i;

	scuse_ua_catch_up(reader, log);
	for (i = 0; i < reader->nr_own; i++) {
		if (reader->own[i].asc != code->asc || reader->own[i].ascq != code->ascq)
			continue;
		reader->own[i] = reader->own[--reader->nr_own];
		break;
	}
	for (sequence = reader->next; sequence < log->next; sequence++) {
		const struct scuse_ua_event *event = &log->events[sequence % SCUSE_UA_EVENTS];

		if (event->asc == code->asc && event->ascq == code->ascq)
			reader->told |= scuse_ua_bit(sequence);
	}
	scuse_ua_advance(reader, log);
}

u32 scuse_ua_list(const struct scuse_ua_reader *reader, const struct scuse_ua_log *log,
		  struct scuse_ua_code *codes, u32 room)
{
	struct scuse_ua_reader copy = *reader;
	u32 count = 0;

	while (count < room && scuse_ua_first(&copy, log, &codes[count])) {
		scuse_ua_clear(&copy, log, &codes[count]);
		count++;
	}
	return count;
}
