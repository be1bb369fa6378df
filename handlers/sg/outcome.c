// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an initiator is told of a command that did not go as it should.  See sg.h.  Pure.
 *
 * The device's own status counts whenever it gave one.  Otherwise the host adapter's driver (host_status,
 * DID_* in the kernel's scsi.h) or the SCSI layer (driver_status) say what became of the command; the table
 * has what comes nearest to that in the words of SAM-5 and SPC-4.  Nothing is retried here: who sent the
 * command knows best if it may be carried out twice.
 */
#include "sg.h"

#include <errno.h>
#include <scsi/sg_lib.h>

#define MADE(key_, asc_, ascq_)                                                     \
	{                                                                           \
		.kind = OUTCOME_MADE, .key = (key_), .asc = (asc_), .ascq = (ascq_) \
	}
#define STATUS(status_)                                     \
	{                                                   \
		.kind = OUTCOME_STATUS, .status = (status_) \
	}

/* LOGICAL UNIT COMMUNICATION FAILURE, the device is out of reach for good. */
#define LOST                                                                                              \
	{                                                                                                 \
		.kind = OUTCOME_MADE, .key = SPC_SK_NOT_READY, .asc = 0x08, .ascq = 0x00, .is_lost = true \
	}

/* INTERNAL TARGET FAILURE: also for what has no better words. */
static const struct outcome internal_failure = MADE(SPC_SK_HARDWARE_ERROR, 0x44, 0x00);
/* LOGICAL UNIT COMMUNICATION TIME-OUT: the SCSI layer has aborted the command. */
static const struct outcome timed_out = MADE(SPC_SK_ABORTED_COMMAND, 0x08, 0x01);
static const struct outcome aborted = MADE(SPC_SK_ABORTED_COMMAND, 0x00, 0x00);
static const struct outcome busy = STATUS(SAM_STAT_BUSY);
static const struct outcome lost = LOST;

static const struct outcome by_host[] = {
	[0x01] = LOST,					   /* DID_NO_CONNECT */
	[0x02] = STATUS(SAM_STAT_BUSY),			   /* DID_BUS_BUSY */
	[0x03] = MADE(SPC_SK_ABORTED_COMMAND, 0x08, 0x01), /* DID_TIME_OUT */
	[0x04] = LOST,					   /* DID_BAD_TARGET */
	[0x05] = MADE(SPC_SK_ABORTED_COMMAND, 0x00, 0x00), /* DID_ABORT */
	[0x06] = MADE(SPC_SK_ABORTED_COMMAND, 0x47, 0x00), /* DID_PARITY: SCSI PARITY ERROR */
	[0x07] = MADE(SPC_SK_HARDWARE_ERROR, 0x44, 0x00),  /* DID_ERROR */
	[0x08] = { .kind = OUTCOME_MADE, .key = SPC_SK_ABORTED_COMMAND, .was_reset = true }, /* DID_RESET */
	[0x09] = MADE(SPC_SK_HARDWARE_ERROR, 0x44, 0x00), /* DID_BAD_INTR */
	[0x0a] = MADE(SPC_SK_HARDWARE_ERROR, 0x44, 0x00), /* DID_PASSTHROUGH */
	[0x0b] = STATUS(SAM_STAT_BUSY),			  /* DID_SOFT_ERROR */
	[0x0c] = STATUS(SAM_STAT_BUSY),			  /* DID_IMM_RETRY */
	[0x0d] = STATUS(SAM_STAT_BUSY),			  /* DID_REQUEUE */
	[0x0e] = STATUS(SAM_STAT_BUSY),			  /* DID_TRANSPORT_DISRUPTED: may come back */
	[0x0f] = MADE(SPC_SK_NOT_READY, 0x08, 0x00),	  /* DID_TRANSPORT_FAILFAST */
	[0x10] = MADE(SPC_SK_HARDWARE_ERROR, 0x44, 0x00), /* DID_TARGET_FAILURE */
	[0x11] = STATUS(SAM_STAT_RESERVATION_CONFLICT),	  /* DID_NEXUS_FAILURE */
	[0x12] = MADE(SPC_SK_DATA_PROTECT, 0x27, 0x07),	  /* DID_ALLOC_FAILURE */
	[0x13] = MADE(SPC_SK_MEDIUM_ERROR, 0x00, 0x00),	  /* DID_MEDIUM_ERROR */
	[0x14] = STATUS(SAM_STAT_BUSY),			  /* DID_TRANSPORT_MARGINAL */
};

static struct outcome of_host(uint16_t host_status)
{
	if (host_status < sizeof(by_host) / sizeof(by_host[0]))
		return by_host[host_status];
	return internal_failure;
}

/* The low four bits are a code, the others are advice that nobody gives any more. */
static struct outcome of_driver(uint16_t driver_status)
{
	switch (driver_status & 0x0f) {
	case 0x01: /* DRIVER_BUSY */
	case 0x02: /* DRIVER_SOFT */
		return busy;
	case 0x06: /* DRIVER_TIMEOUT */
		return timed_out;
	}
	return internal_failure;
}

static bool driver_complains(uint16_t driver_status)
{
	uint16_t code = driver_status & 0x0f;

	return code && code != 0x08; /* DRIVER_SENSE: there is sense data */
}

struct outcome outcome_of(uint8_t status, uint16_t host_status, uint16_t driver_status, size_t sense_length)
{
	status &= 0xfe; /* bit 0 was vendor specific once */
	if (status == SAM_STAT_CHECK_CONDITION)
		return sense_length >= 8 ? (struct outcome){ .kind = OUTCOME_SENSE, .status = status }
					 : internal_failure;
	if (status)
		return (struct outcome)STATUS(status);
	if (host_status)
		return of_host(host_status);
	if (driver_complains(driver_status))
		return of_driver(driver_status);
	return (struct outcome)STATUS(SAM_STAT_GOOD);
}

bool outcome_has_data(const struct outcome *outcome, uint8_t key)
{
	switch (outcome->kind) {
	case OUTCOME_STATUS:
		return outcome->status == SAM_STAT_GOOD || outcome->status == SAM_STAT_CONDITION_MET;
	case OUTCOME_SENSE:
		return key == SPC_SK_NO_SENSE || key == SPC_SK_RECOVERED_ERROR ||
		       key == SPC_SK_MEDIUM_ERROR || key == SPC_SK_BLANK_CHECK ||
		       key == SPC_SK_VOLUME_OVERFLOW;
	case OUTCOME_MADE:
		break;
	}
	return false;
}

struct outcome outcome_of_errno(int error)
{
	switch (error) {
	case ENODEV:
	case ENXIO:
		return lost;
	case EAGAIN:
	case EBUSY:
	case EDOM: /* too many commands at a time */
		return busy;
	case ENOMEM:
		return (struct outcome)STATUS(SAM_STAT_TASK_SET_FULL);
	case EINTR:
		return aborted;
	case EINVAL:
	case E2BIG:
		return (struct outcome)MADE(SPC_SK_ILLEGAL_REQUEST, 0x24, 0x00);
	case EPERM:
	case EACCES:
		return (struct outcome)MADE(SPC_SK_ILLEGAL_REQUEST, 0x20, 0x00);
	}
	return internal_failure;
}
