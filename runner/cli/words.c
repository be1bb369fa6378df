/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SCSI codes in words; see words.h.  Called by show (state.c) and monitor.  The names of additional sense
 * codes are libsgutils2's.
 */
#include "words.h"

#include <string.h>
#include <glib.h>
#include <scsi/sg_lib.h>
#include <scuse/abi.h>

char *asc_meaning(uint8_t asc, uint8_t ascq)
{
	/* What the library puts in front of a name; without it there is only the number again. */
	static const char prefix[] = "Additional sense: ";
	char text[256];

	sg_get_asc_ascq_str(asc, ascq, sizeof(text), text);
	return g_str_has_prefix(text, prefix) ? g_strdup(text + strlen(prefix)) : NULL;
}

char *asc_text(uint8_t asc, uint8_t ascq)
{
	g_autofree char *meaning = asc_meaning(asc, ascq);

	return g_strdup_printf(meaning ? "%02Xh/%02Xh (%s)" : "%02Xh/%02Xh", asc, ascq, meaning);
}

char *reservation_type_text(uint32_t type)
{
	static const char *const names[] = {
		[1] = "Write Exclusive",
		[3] = "Exclusive Access",
		[5] = "Write Exclusive, Registrants Only",
		[6] = "Exclusive Access, Registrants Only",
		[7] = "Write Exclusive, All Registrants",
		[8] = "Exclusive Access, All Registrants",
	};

	if (type == SCUSE_PR_TYPE_SPC2)
		return g_strdup("SPC-2 RESERVE");
	if (type < G_N_ELEMENTS(names) && names[type])
		return g_strdup(names[type]);
	return g_strdup_printf("type %u", type);
}
