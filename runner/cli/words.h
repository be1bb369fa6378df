/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SCSI codes in words.
 */
#ifndef SCUSE_CLI_WORDS_H
#define SCUSE_CLI_WORDS_H

#include <stdint.h>

/* What SPC-4 annex E calls an additional sense code; NULL: nothing.  Newly allocated. */
char *asc_meaning(uint8_t asc, uint8_t ascq);
/* "2Ah/01h (Mode parameters changed)"; newly allocated. */
char *asc_text(uint8_t asc, uint8_t ascq);
/* SCUSE_ATTR_PR_TYPE: "Write Exclusive", ...; "type N" for one that SPC-4 does not know.  Newly allocated. */
char *reservation_type_text(uint32_t type);

#endif /* SCUSE_CLI_WORDS_H */
