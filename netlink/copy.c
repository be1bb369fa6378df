/* SPDX-License-Identifier: MIT */
/*
 * Structs that outlive the message which they are views of.
 *
 * Called by dump.c for each entry of a list, and by programs (scuse_nl_device_copy()).  A copy is one
 * allocation: the struct, then its strings and bytes.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const void *append_bytes(char **end, const void *bytes, size_t size)
{
	char *start = *end;

	if (!bytes)
		return NULL;
	memcpy(start, bytes, size);
	*end += size;
	return start;
}

static const char *append(char **end, const char *string)
{
	return string ? append_bytes(end, string, strlen(string) + 1) : NULL;
}

static size_t room(const char *string)
{
	return string ? strlen(string) + 1 : 0;
}

SCUSE_API struct scuse_nl_device *scuse_nl_device_copy(const struct scuse_nl_device *device)
{
	struct scuse_nl_device *copy;
	char *end;

	copy = malloc(sizeof(*copy) + room(device->name) + room(device->handler) + room(device->config) +
		      room(device->serial) + room(device->error) + room(device->identity));
	if (!copy)
		return NULL;
	*copy = *device;
	end = (char *)(copy + 1);
	copy->name = append(&end, device->name);
	copy->handler = append(&end, device->handler);
	copy->config = append(&end, device->config);
	copy->serial = append(&end, device->serial);
	copy->error = append(&end, device->error);
	copy->identity = append(&end, device->identity);
	return copy;
}

SCUSE_API void scuse_nl_device_free(struct scuse_nl_device *device)
{
	free(device);
}

struct scuse_nl_owner *scuse_nl_owner_copy(const struct scuse_nl_owner *owner)
{
	struct scuse_nl_owner *copy = malloc(sizeof(*copy) + room(owner->handler));
	char *end;

	if (!copy)
		return NULL;
	*copy = *owner;
	end = (char *)(copy + 1);
	copy->handler = append(&end, owner->handler);
	return copy;
}

struct scuse_nl_nexus *scuse_nl_nexus_copy(const struct scuse_nl_nexus *nexus)
{
	struct scuse_nl_nexus *copy;
	char *end;

	copy = malloc(sizeof(*copy) + room(nexus->fabric) + room(nexus->initiator) + room(nexus->target) +
		      nexus->ua_count * 2);
	if (!copy)
		return NULL;
	*copy = *nexus;
	end = (char *)(copy + 1);
	copy->fabric = append(&end, nexus->fabric);
	copy->initiator = append(&end, nexus->initiator);
	copy->target = append(&end, nexus->target);
	copy->ua = append_bytes(&end, nexus->ua, nexus->ua_count * 2);
	return copy;
}

struct scuse_nl_reservation *scuse_nl_reservation_copy(const struct scuse_nl_reservation *reservation)
{
	struct scuse_nl_reservation *copy;
	char *end;

	copy = malloc(sizeof(*copy) + room(reservation->fabric) + room(reservation->initiator) +
		      room(reservation->target));
	if (!copy)
		return NULL;
	*copy = *reservation;
	end = (char *)(copy + 1);
	copy->fabric = append(&end, reservation->fabric);
	copy->initiator = append(&end, reservation->initiator);
	copy->target = append(&end, reservation->target);
	return copy;
}

struct scuse_nl_mode *scuse_nl_mode_copy(const struct scuse_nl_mode *mode)
{
	struct scuse_nl_mode *copy = malloc(sizeof(*copy) + mode->current_length + mode->saved_length);
	char *end;

	if (!copy)
		return NULL;
	*copy = *mode;
	end = (char *)(copy + 1);
	copy->current = append_bytes(&end, mode->current, mode->current_length);
	copy->saved = append_bytes(&end, mode->saved, mode->saved_length);
	return copy;
}

SCUSE_API void scuse_nl_mode_free(struct scuse_nl_mode *mode)
{
	free(mode);
}
