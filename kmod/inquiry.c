// SPDX-License-Identifier: GPL-2.0-only
/*
 * INQUIRY (SPC-4 6.4): standard data; the vital product data pages are in vpd.c.  Process context, no locks
 * held.  It never reports a unit attention, and works whatever the state of the medium.
 */
#include <scsi/scsi_common.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "bytes.h"
#include "scuse.h"
#include "sense.h"
#include "vpd.h"

u16 scuse_transport_version(int protocol)
{
	switch (protocol) {
	case SCSI_PROTOCOL_FCP:
		return SCSI_VERSION_DESCRIPTOR_FCP4;
	case SCSI_PROTOCOL_ISCSI:
		return SCSI_VERSION_DESCRIPTOR_ISCSI;
	case SCSI_PROTOCOL_SAS:
		return SCSI_VERSION_DESCRIPTOR_SAS3;
	case SCSI_PROTOCOL_SBP:
		return SCSI_VERSION_DESCRIPTOR_SBP3;
	case SCSI_PROTOCOL_SRP:
		return SCSI_VERSION_DESCRIPTOR_SRP;
	}
	return 0;
}

static void scuse_inquiry_versions(u8 type, int protocol, u16 *versions)
{
	u16 transport = scuse_transport_version(protocol);

	*versions++ = SCSI_VERSION_DESCRIPTOR_SAM5;
	*versions++ = SCSI_VERSION_DESCRIPTOR_SPC4;
	if (type == TYPE_DISK)
		*versions++ = SCSI_VERSION_DESCRIPTOR_SBC3;
	if (transport)
		*versions = transport;
}

/* The core's access types are the TPGS field's bits where that has them. */
u8 scuse_inquiry_tpgs(struct se_lun *lun)
{
	struct t10_alua_tg_pt_gp *group;
	u8 tpgs = 0;

	rcu_read_lock();
	group = rcu_dereference(lun->lun_tg_pt_gp);
	if (group)
		tpgs = (READ_ONCE(group->tg_pt_gp_alua_access_type) >> 4) & 0x3;
	rcu_read_unlock();
	return tpgs;
}

static sense_reason_t scuse_inquiry_standard(struct se_cmd *cmd)
{
	struct se_device *se_dev = cmd->se_dev;
	struct t10_wwn *wwn = &se_dev->t10_wwn;
	struct scuse_inquiry inquiry = {
		.device_type = scuse_peripheral(to_scuse(se_dev)),
		.tpgs = scuse_inquiry_tpgs(cmd->se_lun),
		.third_party_copy = scuse_copy_offered(to_scuse(se_dev)),
		.protect = to_scuse(se_dev)->pi_type,
		.multi_port = READ_ONCE(se_dev->export_count) > 1,
		.vendor = wwn->vendor,
		.product = wwn->model,
		.revision = wwn->revision,
	};
	u8 data[SCUSE_INQUIRY_LENGTH];

	scuse_inquiry_versions(to_scuse(se_dev)->device_type, cmd->se_lun->lun_tpg->proto_id,
			       inquiry.versions);
	return scuse_reply(cmd, data, scuse_inquiry_build(data, &inquiry));
}

sense_reason_t scuse_execute_inquiry(struct se_cmd *cmd)
{
	const u8 *cdb = cmd->t_task_cdb;

	if (cdb[1] & 0x01)
		return scuse_vpd(cmd, cdb[2]);
	if (cdb[2])
		return scuse_refuse_cdb(cmd, 2, SCUSE_SENSE_NO_BIT);
	return scuse_inquiry_standard(cmd);
}
