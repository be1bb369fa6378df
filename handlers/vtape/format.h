/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of a cartridge file, as FORMAT.md describes them: structures to bytes and back.  Pure functions;
 * cartridge.c reads and writes the file.
 */
#ifndef VTAPE_FORMAT_H
#define VTAPE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORMAT_LABEL_SIZE  4096u /* bytes of each of the two copies, at 0 and at FORMAT_LABEL_SIZE */
#define FORMAT_POSITION_AT 8192u /* the drive's page: its position, and which drive it is */
#define FORMAT_OWNER_AT	   8208u
#define FORMAT_OWNER	   112u	  /* bytes, with the final NUL */
#define FORMAT_DATA_START  12288u /* where the first partition begins */
#define FORMAT_HEADER	   40u	  /* bytes in front of an object's data */
#define FORMAT_TRAILER	   8u	  /* bytes behind it */
#define FORMAT_OVERHEAD	   (FORMAT_HEADER + FORMAT_TRAILER)
#define FORMAT_PARTITIONS  2u
#define FORMAT_STRING	   33u	     /* bytes of a string, with the final NUL */
#define FORMAT_ATTRIBUTES  2048u     /* bytes of attributes that hosts have written */
#define FORMAT_RECORD_MAX  0xffffffu /* bytes of a record: what READ(6) and WRITE(6) can tell */

#define FORMAT_WORM   0x1u
#define FORMAT_IN_USE 0x2u /* a drive has it loaded */

struct format_partition {
	uint64_t start; /* offset of its first object in the file */
	uint64_t size;	/* bytes that its objects may take, headers and trailers included */
	uint32_t seed;	/* what the first object's `chain` is */
	/* Where its objects ended when they were last made durable. */
	uint64_t flushed_offset;
	uint64_t flushed_objects;
};

/* What the file says of the cartridge.  The copy with the higher `sequence` counts. */
struct format_label {
	uint64_t sequence;
	uint32_t flags;	    /* FORMAT_* */
	uint8_t density;    /* SSC-4 primary density code */
	uint8_t partitions; /* 1 or 2 */
	char barcode[FORMAT_STRING];
	char serial[FORMAT_STRING]; /* of the medium */
	uint64_t created;	    /* seconds since 1970-01-01 00:00 UTC */
	uint64_t loads;
	uint64_t written; /* bytes of records, in the cartridge's life */
	uint64_t read;
	struct format_partition partition[FORMAT_PARTITIONS];
	uint32_t attributes_length;
	uint8_t attributes[FORMAT_ATTRIBUTES]; /* see attribute.c */
};

enum format_kind {
	FORMAT_RECORD = 1,
	FORMAT_FILEMARK = 2,
};

/* A record or a filemark, as its header says. */
struct format_object {
	enum format_kind kind;
	uint32_t length;     /* bytes of data; 0 for a filemark */
	uint32_t data_check; /* CRC-32C of the data */
	uint32_t chain;	     /* `check` of the object in front of it, or its partition's seed */
	uint64_t number;     /* objects in front of it in its partition */
	uint64_t stamp;	     /* differs from that of whatever was written there before */
	uint32_t check;	     /* CRC-32C of the header up to this field */
};

/* CRC-32C (RFC 3720, appendix B.4) of data whose first part had `crc`; 0 to begin with. */
uint32_t format_crc(uint32_t crc, const void *data, size_t length);

/* A position in the drive's page: object number, and bit 63 for partition 1. */
static inline uint64_t format_position(unsigned int partition, uint64_t object)
{
	return (uint64_t)partition << 63 | object;
}

/* Bytes of an object in the file: header, data, up to 7 zeros, trailer. */
static inline uint64_t format_size(uint32_t length)
{
	return FORMAT_OVERHEAD + (((uint64_t)length + 7) & ~(uint64_t)7);
}

/* `out`: FORMAT_LABEL_SIZE bytes. */
void format_put_label(uint8_t *out, const struct format_label *label);
/* False: this is no label, or it is damaged or of an unknown version. */
bool format_get_label(const uint8_t *in, struct format_label *label);

/* Fills in object->check too.  `out`: FORMAT_HEADER and FORMAT_TRAILER bytes. */
void format_put_header(uint8_t *out, struct format_object *object);
void format_put_trailer(uint8_t *out, const struct format_object *object);
/* False: there is no object. */
bool format_get_header(const uint8_t *in, struct format_object *object);
/* The length of the data and the check of the header in front of a trailer. */
void format_get_trailer(const uint8_t *in, uint32_t *length, uint32_t *check);

#endif /* VTAPE_FORMAT_H */
