// SPDX-License-Identifier: GPL-2.0-only
/*
 * Vital product data pages (SPC-4 7.8, SBC-3 6.6): collects what the pages show, from the core's objects and
 * from the device; vpdpage.c lays it out.  Called by inquiry.c.
 *
 * Locking: none held by the caller.  Target ports are listed under the core's se_port_lock, target port
 * groups are looked at under RCU.
 */
#include <linux/slab.h>
#include <target/target_core_fabric.h>
#include "bytes.h"
#include "scuse.h"
#include "sense.h"
#include "vpd.h"

#define SCUSE_VPD_ROOM	1088 /* of any page but 88h: the designators of 83h are the longest */
#define SCUSE_PORT_ROOM 272  /* of one port in 88h: 12 bytes, and a name */
#define SCUSE_NAME_ROOM 256  /* of a SCSI name string, with its zeros */
#define SCUSE_VPD_MOST	65535

struct scuse_vpd_page {
	u8 page;
	bool (*offered)(struct se_cmd *cmd); /* NULL: always */
	/* @to is zeroed and has @room bytes; returns the length with the header. */
	u32 (*build)(struct se_cmd *cmd, u8 *to, u32 room);
};

static u8 scuse_vpd_type(struct se_cmd *cmd)
{
	return scuse_peripheral(to_scuse(cmd->se_dev));
}

/* Pages on blocks: those of a raw LUN are its device's. */
static bool scuse_is_ours(struct se_cmd *cmd)
{
	return !to_scuse(cmd->se_dev)->raw;
}

static bool scuse_has_serial(struct se_cmd *cmd)
{
	return cmd->se_dev->dev_flags & DF_EMULATED_VPD_UNIT_SERIAL;
}

/* The core may write the serial while we look, so a copy is taken. */
static u32 scuse_copy_serial(struct se_cmd *cmd, char *serial)
{
	strscpy(serial, cmd->se_dev->t10_wwn.unit_serial, INQUIRY_VPD_SERIAL_LEN);
	return strlen(serial);
}

static u32 scuse_vpd_serial(struct se_cmd *cmd, u8 *to, u32 room)
{
	char serial[INQUIRY_VPD_SERIAL_LEN];
	u32 length = scuse_copy_serial(cmd, serial);

	memcpy(&to[4], serial, length);
	return scuse_vpd_header(to, scuse_vpd_type(cmd), 0x80, length);
}

/* Vendor, then what tells LUNs of this vendor apart; without a serial number, the device's name. */
static u32 scuse_vpd_vendor_id(struct se_cmd *cmd, u8 *to, const char *serial)
{
	static const struct scuse_designator ascii = { .protocol = -1, .code_set = 2, .type = 1 };
	struct t10_wwn *wwn = &cmd->se_dev->t10_wwn;
	char id[252 + 1];
	u32 length;

	length = scnprintf(id, sizeof(id), "%-8.8s%.16s:%s", wwn->vendor, wwn->model,
			   serial[0] ? serial : to_scuse(cmd->se_dev)->name);
	return scuse_vpd_designator(to, &ascii, id, length);
}

/* "WWN,t,0xTAG" names a port, "WWN" the device; a zero byte ends a SCSI name string. */
static u32 scuse_vpd_name(u8 *to, struct se_portal_group *tpg, bool port)
{
	struct scuse_designator name = {
		.protocol = tpg->proto_id,
		.code_set = 3,
		.association = port ? 1 : 2,
		.type = 8,
	};
	const struct target_core_fabric_ops *tfo = tpg->se_tpg_tfo;
	char text[SCUSE_NAME_ROOM - 4];
	u32 length;

	if (port)
		length = scnprintf(text, sizeof(text), "%s,t,0x%04x", tfo->tpg_get_wwn(tpg),
				   tfo->tpg_get_tag(tpg));
	else
		length = scnprintf(text, sizeof(text), "%s", tfo->tpg_get_wwn(tpg));
	return scuse_vpd_designator(to, &name, text, length + 1);
}

static u32 scuse_vpd_port_group(struct se_lun *lun, u8 *to)
{
	struct scuse_designator group = {
		.protocol = lun->lun_tpg->proto_id,
		.code_set = 1,
		.association = 1,
		.type = 5,
	};
	struct t10_alua_tg_pt_gp *found;
	u32 length = 0;

	rcu_read_lock();
	found = rcu_dereference(lun->lun_tg_pt_gp);
	if (found)
		length = scuse_vpd_number(to, &group, found->tg_pt_gp_id);
	rcu_read_unlock();
	return length;
}

static u32 scuse_vpd_lu_group(struct se_device *se_dev, u8 *to)
{
	static const struct scuse_designator group = { .protocol = -1, .code_set = 1, .type = 6 };
	struct t10_alua_lu_gp_member *member = se_dev->dev_alua_lu_gp_mem;
	u32 length = 0;

	if (!member)
		return 0;
	spin_lock(&member->lu_gp_mem_lock);
	if (member->lu_gp)
		length = scuse_vpd_number(to, &group, member->lu_gp->lu_gp_id);
	spin_unlock(&member->lu_gp_mem_lock);
	return length;
}

static u32 scuse_vpd_port_number(struct se_lun *lun, u8 *to)
{
	struct scuse_designator port = {
		.protocol = lun->lun_tpg->proto_id,
		.code_set = 1,
		.association = 1,
		.type = 4,
	};

	return scuse_vpd_number(to, &port, scuse_lun_rtpi(lun));
}

static u32 scuse_vpd_identification(struct se_cmd *cmd, u8 *to, u32 room)
{
	static const struct scuse_designator naa_type = { .protocol = -1, .code_set = 1, .type = 3 };
	char serial[INQUIRY_VPD_SERIAL_LEN] = "";
	struct se_lun *lun = cmd->se_lun;
	u8 naa[SCUSE_NAA_LENGTH];
	u32 at = 4;

	if (scuse_has_serial(cmd)) {
		scuse_copy_serial(cmd, serial);
		scuse_vpd_naa(naa, serial, cmd->se_dev->t10_wwn.company_id);
		at += scuse_vpd_designator(&to[at], &naa_type, naa, sizeof(naa));
	}
	at += scuse_vpd_vendor_id(cmd, &to[at], serial);
	at += scuse_vpd_port_number(lun, &to[at]);
	at += scuse_vpd_port_group(lun, &to[at]);
	at += scuse_vpd_lu_group(cmd->se_dev, &to[at]);
	at += scuse_vpd_name(&to[at], lun->lun_tpg, true);
	at += scuse_vpd_name(&to[at], lun->lun_tpg, false);
	return scuse_vpd_header(to, scuse_vpd_type(cmd), 0x83, at - 4);
}

static bool scuse_has_referrals(struct se_cmd *cmd)
{
	struct t10_alua *alua = &cmd->se_dev->t10_alua;
	bool has;

	spin_lock(&alua->lba_map_lock);
	has = !list_empty(&alua->lba_map_list);
	spin_unlock(&alua->lba_map_lock);
	return has;
}

static u32 scuse_vpd_extended_data(struct se_cmd *cmd, u8 *to, u32 room)
{
	return scuse_vpd_extended(to, scuse_vpd_type(cmd), to_scuse(cmd->se_dev)->pi_type,
				  scuse_device_has(to_scuse(cmd->se_dev), SCUSE_FEATURE_FLUSH),
				  scuse_has_referrals(cmd));
}

static u32 scuse_vpd_policy(struct se_cmd *cmd, u8 *to, u32 room)
{
	return scuse_vpd_mode_policy(to, scuse_vpd_type(cmd));
}

/* A target port: its number, no initiator port, its name (SPC-4 table 555). */
static u32 scuse_vpd_port(struct se_lun *lun, u8 *to)
{
	u32 length = scuse_vpd_name(&to[12], lun->lun_tpg, true);

	scuse_put_be(&to[2], scuse_lun_rtpi(lun), 2);
	scuse_put_be(&to[10], length, 2);
	return 12 + length;
}

/* Ports that appear while we look may be left out; who makes them tells the initiators anyway. */
static u32 scuse_vpd_ports(struct se_cmd *cmd, u8 *to, u32 room)
{
	struct se_device *se_dev = cmd->se_dev;
	struct se_lun *lun;
	u32 at = 4;

	spin_lock(&se_dev->se_port_lock);
	list_for_each_entry(lun, &se_dev->dev_sep_list, lun_dev_link) {
		if (at + SCUSE_PORT_ROOM > room)
			break;
		at += scuse_vpd_port(lun, &to[at]);
	}
	spin_unlock(&se_dev->se_port_lock);
	return scuse_vpd_header(to, scuse_vpd_type(cmd), 0x88, at - 4);
}

static u32 scuse_vpd_limits(struct se_cmd *cmd, u8 *to, u32 room)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct se_dev_attrib *attrib = &dev->se_dev.dev_attrib;
	u32 optimal = READ_ONCE(dev->optimal_transfer) >> dev->block_shift;
	struct scuse_block_limits limits = {
		.no_zero_same = true,
		.granularity = 1u << READ_ONCE(dev->physical_exponent),
		.transfer = scuse_max_transfer(cmd) >> dev->block_shift,
		.optimal_transfer = optimal ? optimal : attrib->optimal_sectors,
		.unmap = attrib->emulate_tpu ? attrib->max_unmap_lba_count : 0,
		.unmap_ranges = attrib->emulate_tpu ? attrib->max_unmap_block_desc_count : 0,
		.unmap_granularity = attrib->unmap_granularity,
		.unmap_alignment = attrib->unmap_granularity_alignment,
		.write_same = attrib->max_write_same_len,
		.atomic = scuse_max_atomic_blocks(dev),
	};

	if (scuse_offers_compare(dev))
		limits.compare_and_write = scuse_max_compare_blocks(dev);
	if (limits.atomic) {
		limits.atomic_alignment = READ_ONCE(dev->applied.atomic_alignment);
		limits.atomic_granularity = READ_ONCE(dev->applied.atomic_granularity);
	}
	return scuse_vpd_block_limits(to, scuse_vpd_type(cmd), &limits);
}

static u32 scuse_vpd_device(struct se_cmd *cmd, u8 *to, u32 room)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct scuse_characteristics what = {
		.rotational = !cmd->se_dev->dev_attrib.is_nonrot,
		.block_erase = scuse_device_has(dev, SCUSE_FEATURE_SANITIZE_BLOCK),
		.crypto_erase = scuse_device_has(dev, SCUSE_FEATURE_SANITIZE_CRYPTO),
	};

	return scuse_vpd_characteristics(to, scuse_vpd_type(cmd), &what);
}

static u32 scuse_vpd_thin(struct se_cmd *cmd, u8 *to, u32 room)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct se_dev_attrib *attrib = &dev->se_dev.dev_attrib;
	struct scuse_provisioning provisioning = {
		.unmap = attrib->emulate_tpu,
		.write_same = attrib->emulate_tpws,
		.zeroes = attrib->unmap_zeroes_data,
		.anchor = scuse_device_has(dev, SCUSE_FEATURE_ANCHOR),
	};

	if (attrib->emulate_tpu || attrib->emulate_tpws)
		provisioning.threshold_exponent = READ_ONCE(dev->applied.threshold_exponent);
	return scuse_vpd_provisioning(to, scuse_vpd_type(cmd), &provisioning);
}

/* SBC-3 6.6.7 */
static u32 scuse_vpd_referrals(struct se_cmd *cmd, u8 *to, u32 room)
{
	struct t10_alua *alua = &cmd->se_dev->t10_alua;

	scuse_put_be(&to[8], alua->lba_map_segment_size, 4);
	scuse_put_be(&to[12], alua->lba_map_segment_multiplier, 4);
	return scuse_vpd_header(to, scuse_vpd_type(cmd), 0xb3, 0x0c);
}

/* Ascending; page 00h lists them. */
static const struct scuse_vpd_page scuse_vpd_pages[] = {
	{ .page = 0x80, .build = scuse_vpd_serial, .offered = scuse_has_serial },
	{ .page = 0x83, .build = scuse_vpd_identification },
	{ .page = 0x86, .build = scuse_vpd_extended_data },
	{ .page = 0x87, .build = scuse_vpd_policy },
	{ .page = 0x88, .build = scuse_vpd_ports },
	{ .page = 0xb0, .build = scuse_vpd_limits, .offered = scuse_is_ours },
	{ .page = 0xb1, .build = scuse_vpd_device, .offered = scuse_is_ours },
	{ .page = 0xb2, .build = scuse_vpd_thin, .offered = scuse_is_ours },
	{ .page = 0xb3, .build = scuse_vpd_referrals, .offered = scuse_has_referrals },
};

static bool scuse_vpd_offered(struct se_cmd *cmd, const struct scuse_vpd_page *entry)
{
	return !entry->offered || entry->offered(cmd);
}

static u32 scuse_vpd_supported(struct se_cmd *cmd, u8 *to, u32 room)
{
	u32 at = 5; /* after the header, and page 00h itself */
	u32 i;

	for (i = 0; i < ARRAY_SIZE(scuse_vpd_pages); i++) {
		if (scuse_vpd_offered(cmd, &scuse_vpd_pages[i]))
			to[at++] = scuse_vpd_pages[i].page;
	}
	return scuse_vpd_header(to, scuse_vpd_type(cmd), 0x00, at - 4);
}

static const struct scuse_vpd_page *scuse_vpd_find(struct se_cmd *cmd, u8 page)
{
	static const struct scuse_vpd_page supported = { .page = 0x00, .build = scuse_vpd_supported };
	u32 i;

	if (page == supported.page)
		return &supported;
	for (i = 0; i < ARRAY_SIZE(scuse_vpd_pages); i++) {
		const struct scuse_vpd_page *entry = &scuse_vpd_pages[i];

		if (entry->page == page && scuse_vpd_offered(cmd, entry))
			return entry;
	}
	return NULL;
}

sense_reason_t scuse_vpd(struct se_cmd *cmd, u8 page)
{
	const struct scuse_vpd_page *entry = scuse_vpd_find(cmd, page);
	u32 room = SCUSE_VPD_ROOM;
	u8 *data;

	if (!entry)
		return scuse_refuse_cdb(cmd, 2, SCUSE_SENSE_NO_BIT);
	if (page == 0x88)
		room = min_t(u64, SCUSE_VPD_MOST,
			     4 + (u64)READ_ONCE(cmd->se_dev->export_count) * SCUSE_PORT_ROOM);
	data = kzalloc(room, GFP_KERNEL);
	if (!data)
		return TCM_OUT_OF_RESOURCES;
	scuse_reply(cmd, data, entry->build(cmd, data, room));
	kfree(data);
	return TCM_NO_SENSE;
}
