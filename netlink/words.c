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
