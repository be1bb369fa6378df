/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ends of commands other than GOOD: sense data of sequential-access devices (SPC-4 4.5, SSC-4 table 12).  All
 * functions return what the `cdb` operation is to return.
 */
#ifndef VTAPE_SENSE_H
#define VTAPE_SENSE_H

#include <stdint.h>

#include <scuse/handler.h>

/* Sense keys. */
#define KEY_NO_SENSE	    0x0
#define KEY_NOT_READY	    0x2
#define KEY_MEDIUM_ERROR    0x3
#define KEY_ILLEGAL_REQUEST 0x5
#define KEY_DATA_PROTECT    0x7
#define KEY_BLANK_CHECK	    0x8
#define KEY_VOLUME_OVERFLOW 0xd

/* Bits that sequential-access devices have beside the sense key. */
#define SENSE_FILEMARK 0x80
#define SENSE_EOM      0x40
#define SENSE_ILI      0x20

/* Additional sense codes with their qualifiers. */
#define ASC_NONE			0x0000
#define ASC_FILEMARK			0x0001
#define ASC_END_OF_PARTITION		0x0002
#define ASC_BEGINNING_OF_PARTITION	0x0004
#define ASC_END_OF_DATA			0x0005
#define ASC_PROGRAMMABLE_EARLY_WARNING	0x0007
#define ASC_WRITE_ERROR			0x0c00
#define ASC_READ_ERROR			0x1100
#define ASC_PARAMETER_LENGTH		0x1a00
#define ASC_INVALID_FIELD_IN_CDB	0x2400
#define ASC_INVALID_FIELD_IN_PARAMETERS 0x2600
#define ASC_WRITE_PROTECTED		0x2700
#define ASC_WORM_OVERWRITE		0x300c
#define ASC_SAVING_NOT_SUPPORTED	0x3900
#define ASC_MEDIUM_NOT_PRESENT		0x3a00
#define ASC_PAST_BEGINNING_OF_MEDIUM	0x3b0c
#define ASC_REMOVAL_PREVENTED		0x5302

#define SENSE_NO_BIT 0xff

int sense_fail(struct scuse_io *io, uint8_t key, uint16_t asc);
/* `bits`: SENSE_FILEMARK...; `residual`: the INFORMATION field, valid if it fits 32 bits. */
int sense_fail_residual(struct scuse_io *io, uint8_t bits, uint8_t key, uint16_t asc, int64_t residual);
/* INVALID FIELD IN CDB, pointing to a byte and, unless SENSE_NO_BIT, the highest bit of the field in it. */
int sense_fail_cdb(struct scuse_io *io, uint16_t byte, uint8_t bit);
/* INVALID FIELD IN PARAMETER LIST, likewise. */
int sense_fail_parameter(struct scuse_io *io, uint16_t byte);

#endif /* VTAPE_SENSE_H */
