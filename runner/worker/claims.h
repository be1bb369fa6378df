/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Claims: the commands that a `cdb` operation carries out (struct scuse_claim).  Pure functions.
 */
#ifndef WORKER_CLAIMS_H
#define WORKER_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <scuse/abi.h>
#include <scuse/handler.h>

/* False: *error (newly allocated) names the entry that is wrong, counted from 1, and says why. */
bool claims_check(const struct scuse_claim *claims, char **error);
/* Entries, without the last; of a list that was checked. */
size_t claims_count(const struct scuse_claim *claims);
/* The entry that covers a CDB: one of its own if there is, else SCUSE_CLAIM_STANDARD.  NULL: none. */
const struct scuse_claim *claim_find(const struct scuse_claim *claims, const uint8_t *cdb);
/* Bytes of a CDB that the claim covers (SPC-4 4.2.5.1). */
uint16_t claim_cdb_length(const struct scuse_claim *claim, const uint8_t *cdb);
/* As START wants them; newly allocated, claims_count() entries. */
struct scuse_command *claims_to_commands(const struct scuse_claim *claims);

#endif /* WORKER_CLAIMS_H */
