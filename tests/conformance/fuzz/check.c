// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Judges answers: the status is one that SAM-5 knows, sense data are well-formed, never more bytes than the
 * smaller of the CDB's and the initiator's length, and residuals that add up (RFC 7143 11.4.5).
 */
#include "check.h"
#include "length.h"

#include <string.h>

/* Bytes that the LUN looks at: a CDB that is sent too short arrives with zeros behind it (RFC 7143 11.3.5). */
static size_t cdb_size(const struct command *command)
{
	static const uint8_t groups[8] = { 6, 10, 10, 32, 16, 12, 16, 16 }; /* SPC-4 4.2.5.1 */
	size_t size = groups[command->cdb[0] >> 5];

	return size > command->cdb_len ? size : command->cdb_len;
}

static const char *check_sense(const struct command *command)
{
	struct sense sense;

	if (command->sense_len == 0)
		return "CHECK CONDITION without sense data";
	sense_parse(&sense, command->sense, command->sense_len);
	if (!sense.valid)
		return "sense data of no known format";
	if (sense.key == 0 || sense.key == 0x9 || sense.key == 0xc || sense.key == 0xf)
		return "a sense key that does not belong to CHECK CONDITION";
	if (sense.asc == 0)
		return "CHECK CONDITION with NO ADDITIONAL SENSE INFORMATION";
	if (sense.key == 0x4)
		return "HARDWARE ERROR";
	if (sense.has_field && sense.in_cdb && sense.byte >= cdb_size(command))
		return "a field pointer beyond the CDB";
	return NULL;
}

static const char *check_status(const struct command *command)
{
	switch (command->status) {
	case STATUS_GOOD:
	case STATUS_RESERVATION_CONFLICT:
	case STATUS_TASK_SET_FULL:
		return NULL;
	case STATUS_CHECK_CONDITION:
		return check_sense(command);
	case STATUS_CONDITION_MET:
		return command->cdb[0] == 0x34 || command->cdb[0] == 0x90
			       ? NULL
			       : "CONDITION MET, but it is no PRE-FETCH";
	case STATUS_BUSY:
		return "BUSY, though nobody is away";
	case STATUS_LOST:
		return "no answer";
	case STATUS_REFUSED:
		return "not sent";
	default:
		return "a status that SAM-5 does not know";
	}
}

/* Residuals of a command that ended well; `wanted` is what the CDB asks for in this direction. */
static const char *check_residual(const struct command *command, int64_t wanted, bool all)
{
	int64_t announced = command->length, residual = command->residual;

	switch (command->residual_kind) {
	case RESIDUAL_NONE:
		if (all && wanted != announced)
			return "the lengths differ, but there is no residual";
		if (command->direction == DIRECTION_IN && command->received != announced)
			return "fewer bytes than announced, but no underflow";
		return NULL;
	case RESIDUAL_UNDERFLOW:
		if (residual > announced)
			return "an underflow of more than was announced";
		if (command->direction == DIRECTION_IN && command->received != announced - residual)
			return "underflow and the bytes that came do not add up";
		if (all && wanted >= 0 && residual != announced - wanted)
			return "an underflow that is not the difference of the lengths";
		return NULL;
	case RESIDUAL_OVERFLOW:
		if (residual == 0 || (wanted >= 0 && residual > wanted - announced))
			return "an overflow of more than the CDB asks for";
		if (all && residual != wanted - announced)
			return "an overflow that is not the difference of the lengths";
		return NULL;
	}
	return NULL;
}

static const char *check_lengths(const struct transport *transport, const struct command *command,
				 uint32_t block_size)
{
	const struct length *row = length_find(command->cdb);
	bool other_way = row->direction != DIRECTION_NONE && row->direction != command->direction;
	int64_t wanted = other_way ? 0 : length_of(row, command->cdb, block_size);
	/* Other than these, a command moves all that its CDB asks for. */
	bool allocation = row->direction == DIRECTION_IN && row->unit == UNIT_BYTES;

	if (command->received > command->length)
		return "more bytes than the initiator has room for";
	/* The other transport tells an overflow no further, and nothing of the data of a command that failed. */
	if (!transport->exact && (command->status != STATUS_GOOD || command->residual > command->length))
		return NULL;
	if (command->direction == DIRECTION_IN && wanted >= 0 && command->received > wanted)
		return "more bytes than the CDB allows";
	if (command->status != STATUS_GOOD || !transport->exact || command->length == 0 || other_way)
		return NULL;
	return check_residual(command, wanted, !allocation && wanted >= 0);
}

/*
 * Behind the bytes that came, the buffer is as it was, or cleared: by the initiator's own kernel, or by LIO,
 * which clears the first piece of a local initiator's buffer.
 */
static const char *check_rest(const struct transport *transport, const struct command *command,
			      uint32_t block_size)
{
	int64_t wanted = length_of(length_find(command->cdb), command->cdb, block_size);

	if (command->direction != DIRECTION_IN)
		return NULL;
	/* Told as an underflow, what may be an overflow says nothing of the bytes that came. */
	if (!transport->exact && command->residual && wanted > command->length)
		return NULL;
	for (uint32_t i = command->received; i < command->length; i++)
		if (command->data[i] != UNTOUCHED && command->data[i] != 0)
			return "bytes that do not count as received have changed";
	return NULL;
}

const char *check_answer(const struct transport *transport, const struct command *command,
			 uint32_t block_size)
{
	const char *wrong = check_status(command);

	if (!wrong)
		wrong = check_lengths(transport, command, block_size);
	return wrong ? wrong : check_rest(transport, command, block_size);
}
