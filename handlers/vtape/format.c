// SPDX-License-Identifier: LGPL-2.1-or-later
/* Cartridge files' structures to bytes and back.  See format.h, and FORMAT.md for the layout. */
#include "format.h"

#include <string.h>

#include "bytes.h"

#define LABEL_MAGIC    "SCUSEVTC"
#define LABEL_VERSION  1
#define LABEL_CHECK_AT (FORMAT_LABEL_SIZE - 4)
#define HEADER_MAGIC   "VTOB"

/* Offsets in a label. */
enum {
	AT_VERSION = 8,
	AT_FLAGS = 12,
	AT_SEQUENCE = 16,
	AT_CREATED = 24,
	AT_LOADS = 32,
	AT_WRITTEN = 40,
	AT_READ = 48,
	AT_DENSITY = 56,
	AT_PARTITIONS = 57,
	AT_BARCODE = 72,
	AT_SERIAL = 104,
	AT_PARTITION = 136, /* 40 bytes each */
	AT_ATTRIBUTES_LENGTH = 508,
	AT_ATTRIBUTES = 512,
};
#define PARTITION_SIZE 40

_Static_assert(AT_PARTITION + FORMAT_PARTITIONS * PARTITION_SIZE <= AT_ATTRIBUTES_LENGTH,
	       "they do not overlap");
_Static_assert(AT_ATTRIBUTES + FORMAT_ATTRIBUTES <= LABEL_CHECK_AT, "the attributes fit");

/* ---- checks ---- */

#define CRC_TABLES     8
#define CRC_POLYNOMIAL 0x82f63b78u /* CRC-32C, bits reversed */

static uint32_t crc_table[CRC_TABLES][256];

/* Before anything else runs, so that no lock is needed. */
__attribute__((constructor)) static void crc_fill_tables(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
		crc_table[0][i] = crc;
	}
	for (int table = 1; table < CRC_TABLES; table++)
		for (uint32_t i = 0; i < 256; i++)
			crc_table[table][i] =
				crc_table[table - 1][i] >> 8 ^ crc_table[0][crc_table[table - 1][i] & 0xff];
}

uint32_t format_crc(uint32_t crc, const void *data, size_t length)
{
	const uint8_t *byte = data;

	crc = ~crc;
	for (; length >= 8; length -= 8, byte += 8) {
		uint32_t low = crc ^ (uint32_t)bytes_get_le(byte, 4);
		uint32_t high = (uint32_t)bytes_get_le(byte + 4, 4);

		crc = crc_table[7][low & 0xff] ^ crc_table[6][low >> 8 & 0xff] ^
		      crc_table[5][low >> 16 & 0xff] ^ crc_table[4][low >> 24] ^ crc_table[3][high & 0xff] ^
		      crc_table[2][high >> 8 & 0xff] ^ crc_table[1][high >> 16 & 0xff] ^
		      crc_table[0][high >> 24];
	}
	for (; length; length--, byte++)
		crc = crc >> 8 ^ crc_table[0][(crc ^ *byte) & 0xff];
	return ~crc;
}

/* ---- labels ---- */

static void put_partition(uint8_t *out, const struct format_partition *partition)
{
	bytes_put_le(out, 8, partition->start);
	bytes_put_le(out + 8, 8, partition->size);
	bytes_put_le(out + 16, 8, partition->flushed_offset);
	bytes_put_le(out + 24, 8, partition->flushed_objects);
	bytes_put_le(out + 32, 4, partition->seed);
}

static void get_partition(const uint8_t *in, struct format_partition *partition)
{
	partition->start = bytes_get_le(in, 8);
	partition->size = bytes_get_le(in + 8, 8);
	partition->flushed_offset = bytes_get_le(in + 16, 8);
	partition->flushed_objects = bytes_get_le(in + 24, 8);
	partition->seed = (uint32_t)bytes_get_le(in + 32, 4);
}

void format_put_label(uint8_t *out, const struct format_label *label)
{
	memset(out, 0, FORMAT_LABEL_SIZE);
	memcpy(out, LABEL_MAGIC, 8);
	bytes_put_le(out + AT_VERSION, 4, LABEL_VERSION);
	bytes_put_le(out + AT_FLAGS, 4, label->flags);
	bytes_put_le(out + AT_SEQUENCE, 8, label->sequence);
	bytes_put_le(out + AT_CREATED, 8, label->created);
	bytes_put_le(out + AT_LOADS, 8, label->loads);
	bytes_put_le(out + AT_WRITTEN, 8, label->written);
	bytes_put_le(out + AT_READ, 8, label->read);
	out[AT_DENSITY] = label->density;
	out[AT_PARTITIONS] = label->partitions;
	memcpy(out + AT_BARCODE, label->barcode, FORMAT_STRING - 1);
	memcpy(out + AT_SERIAL, label->serial, FORMAT_STRING - 1);
	for (unsigned int i = 0; i < label->partitions; i++)
		put_partition(out + AT_PARTITION + i * PARTITION_SIZE, &label->partition[i]);
	bytes_put_le(out + AT_ATTRIBUTES_LENGTH, 4, label->attributes_length);
	memcpy(out + AT_ATTRIBUTES, label->attributes, label->attributes_length);
	bytes_put_le(out + LABEL_CHECK_AT, 4, format_crc(0, out, LABEL_CHECK_AT));
}

/* Partitions lie one behind the other, and durable objects within them. */
static bool partitions_valid(const struct format_label *label)
{
	uint64_t from = FORMAT_DATA_START;

	if (label->partitions < 1 || label->partitions > FORMAT_PARTITIONS)
		return false;
	for (unsigned int i = 0; i < label->partitions; i++) {
		const struct format_partition *partition = &label->partition[i];

		if (partition->start < from || partition->size > INT64_MAX - partition->start ||
		    partition->flushed_offset < partition->start ||
		    partition->flushed_offset - partition->start > partition->size)
			return false;
		from = partition->start + partition->size;
	}
	return true;
}

bool format_get_label(const uint8_t *in, struct format_label *label)
{
	if (memcmp(in, LABEL_MAGIC, 8) != 0 || bytes_get_le(in + AT_VERSION, 4) != LABEL_VERSION ||
	    bytes_get_le(in + LABEL_CHECK_AT, 4) != format_crc(0, in, LABEL_CHECK_AT))
		return false;
	memset(label, 0, sizeof(*label));
	label->flags = (uint32_t)bytes_get_le(in + AT_FLAGS, 4);
	label->sequence = bytes_get_le(in + AT_SEQUENCE, 8);
	label->created = bytes_get_le(in + AT_CREATED, 8);
	label->loads = bytes_get_le(in + AT_LOADS, 8);
	label->written = bytes_get_le(in + AT_WRITTEN, 8);
	label->read = bytes_get_le(in + AT_READ, 8);
	label->density = in[AT_DENSITY];
	label->partitions = in[AT_PARTITIONS];
	memcpy(label->barcode, in + AT_BARCODE, FORMAT_STRING - 1);
	memcpy(label->serial, in + AT_SERIAL, FORMAT_STRING - 1);
	for (unsigned int i = 0; i < FORMAT_PARTITIONS; i++)
		get_partition(in + AT_PARTITION + i * PARTITION_SIZE, &label->partition[i]);
	label->attributes_length = (uint32_t)bytes_get_le(in + AT_ATTRIBUTES_LENGTH, 4);
	if (label->attributes_length > FORMAT_ATTRIBUTES)
		return false;
	memcpy(label->attributes, in + AT_ATTRIBUTES, label->attributes_length);
	return partitions_valid(label);
}

/* ---- objects ---- */

void format_put_header(uint8_t *out, struct format_object *object)
{
	memcpy(out, HEADER_MAGIC, 4);
	bytes_put_le(out + 4, 4, object->kind);
	bytes_put_le(out + 8, 4, object->length);
	bytes_put_le(out + 12, 4, object->data_check);
	bytes_put_le(out + 16, 8, object->number);
	bytes_put_le(out + 24, 8, object->stamp);
	bytes_put_le(out + 32, 4, object->chain);
	object->check = format_crc(0, out, FORMAT_HEADER - 4);
	bytes_put_le(out + 36, 4, object->check);
}

void format_put_trailer(uint8_t *out, const struct format_object *object)
{
	bytes_put_le(out, 4, object->length);
	bytes_put_le(out + 4, 4, object->check);
}

bool format_get_header(const uint8_t *in, struct format_object *object)
{
	uint32_t kind = (uint32_t)bytes_get_le(in + 4, 4);

	object->check = (uint32_t)bytes_get_le(in + 36, 4);
	if (memcmp(in, HEADER_MAGIC, 4) != 0 || object->check != format_crc(0, in, FORMAT_HEADER - 4))
		return false;
	object->length = (uint32_t)bytes_get_le(in + 8, 4);
	object->data_check = (uint32_t)bytes_get_le(in + 12, 4);
	object->number = bytes_get_le(in + 16, 8);
	object->stamp = bytes_get_le(in + 24, 8);
	object->chain = (uint32_t)bytes_get_le(in + 32, 4);
	object->kind = (enum format_kind)kind;
	if (kind == FORMAT_FILEMARK)
		return object->length == 0;
	return kind == FORMAT_RECORD && object->length && object->length <= FORMAT_RECORD_MAX;
}

void format_get_trailer(const uint8_t *in, uint32_t *length, uint32_t *check)
{
	*length = (uint32_t)bytes_get_le(in, 4);
	*check = (uint32_t)bytes_get_le(in + 4, 4);
}
