/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The changer's mode pages (SMC-3 7.3) and log pages (7.2).  vchanger.c calls it. */
#ifndef VCHANGER_PAGE_H
#define VCHANGER_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "library.h"

/* How a request for pages ends. */
enum page_result {
	PAGE_OK = 0,
	PAGE_INVALID,  /* a field of the CDB */
	PAGE_NOT_SAVED /* saved values are asked for, and there are none */
};

#define PAGE_ROOM 512 /* bytes that suffice for any answer */

/* MODE SENSE(6) and (10): *length bytes of data, before the allocation length is looked at. */
enum page_result page_mode_sense(const struct library *library, const uint8_t *cdb, uint8_t to[PAGE_ROOM],
				 size_t *length);
/* LOG SENSE, likewise. */
enum page_result page_log_sense(struct library *library, const uint8_t *cdb, uint8_t to[PAGE_ROOM],
				size_t *length);

#endif /* VCHANGER_PAGE_H */
