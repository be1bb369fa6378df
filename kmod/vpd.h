/* SPDX-License-Identifier: GPL-2.0-only */
/* INQUIRY: standard data (inquiry.c) and vital product data (vpd.c).  Process context, no locks held. */
#ifndef SCUSE_VPD_H
#define SCUSE_VPD_H

#include <target/target_core_base.h>
#include "vpdpage.h"

/* Execute function; see opcode.c. */
sense_reason_t scuse_execute_inquiry(struct se_cmd *cmd);

/* The version descriptor of a target port's protocol (SPC-4 table 146); 0: none.  @protocol: SCSI_PROTOCOL_* */
u16 scuse_transport_version(int protocol);

/* The TPGS field, as the target port group of this LUN has it. */
u8 scuse_inquiry_tpgs(struct se_lun *lun);

/* Ends the command with a page, or with INVALID FIELD IN CDB if there is no such page. */
sense_reason_t scuse_vpd(struct se_cmd *cmd, u8 page);

#endif /* SCUSE_VPD_H */
