/* SPDX-License-Identifier: MIT */
/*
 * Names for the numbers of the protocol, as scuse monitor, --json and logs show them.  They are an interface:
 * scripts compare them, so existing ones never change.
 */
#include "internal.h"

SCUSE_API const char *scuse_nl_event_name(uint32_t type)
{
	static const char *const names[] = {
		[SCUSE_EVENT_DEVICE_ADDED] = "device-added",
		[SCUSE_EVENT_DEVICE_REMOVED] = "device-removed",
		[SCUSE_EVENT_SIZE_CHANGED] = "size-changed",
		[SCUSE_EVENT_SESSION_STARTED] = "session-started",
		[SCUSE_EVENT_SESSION_LOST] = "session-lost",
		[SCUSE_EVENT_SESSION_BROKEN] = "session-broken",
		[SCUSE_EVENT_HANDLER_ERROR] = "handler-error",
		[SCUSE_EVENT_SLOW_COMMAND] = "slow-command",
		[SCUSE_EVENT_OWNER_CLAIMED] = "owner-claimed",
		[SCUSE_EVENT_OWNER_LOST] = "owner-lost",
		[SCUSE_EVENT_UNIT_ATTENTION] = "unit-attention",
		[SCUSE_EVENT_RESERVATION] = "reservation",
		[SCUSE_EVENT_MODE_CHANGED] = "mode-changed",
		[SCUSE_EVENT_SESSION_REVOKED] = "session-revoked",
		[SCUSE_EVENT_GIVEN_UP] = "given-up",
		[SCUSE_EVENT_COMMANDS_FAILED] = "commands-failed",
	};

	return type < sizeof(names) / sizeof(*names) && names[type] ? names[type] : "unknown";
}

SCUSE_API const char *scuse_nl_state_name(uint32_t state)
{
	static const char *const names[] = {
		[SCUSE_STATE_OFFLINE] = "offline",
		[SCUSE_STATE_ONLINE] = "online",
		[SCUSE_STATE_BROKEN] = "broken",
		[SCUSE_STATE_REMOVING] = "removing",
	};

	return state < sizeof(names) / sizeof(*names) ? names[state] : "unknown";
}

SCUSE_API const char *scuse_nl_type_name(uint32_t device_type)
{
	static const char *const names[] = {
		[0x00] = "disk",
		[0x01] = "tape",
		[0x02] = "printer",
		[0x03] = "processor",
		[0x04] = "worm",
		[0x05] = "cd",
		[0x07] = "optical",
		[0x08] = "changer",
		[0x0c] = "raid",
		[0x0d] = "enclosure",
		[0x0e] = "simplified-disk",
		[0x0f] = "card-reader",
		[0x11] = "object-store",
		[0x12] = "automation",
		[0x14] = "zoned-disk",
	};

	return device_type < sizeof(names) / sizeof(*names) && names[device_type] ? names[device_type]
										  : "unknown";
}

SCUSE_API const char *scuse_nl_orphan_name(uint32_t policy)
{
	static const char *const names[] = {
		[SCUSE_ORPHAN_WAIT] = "wait",
		[SCUSE_ORPHAN_BUSY] = "busy",
		[SCUSE_ORPHAN_ERROR] = "error",
	};

	return policy < sizeof(names) / sizeof(*names) ? names[policy] : "unknown";
}

SCUSE_API const char *scuse_nl_inflight_name(uint32_t policy)
{
	static const char *const names[] = {
		[SCUSE_INFLIGHT_REPLAY] = "replay",
		[SCUSE_INFLIGHT_BUSY] = "busy",
	};

	return policy < sizeof(names) / sizeof(*names) ? names[policy] : "unknown";
}
