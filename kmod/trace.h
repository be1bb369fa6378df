/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints scuse:submit, scuse:complete and scuse:violation; defined in main.c. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM scuse

#if !defined(SCUSE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SCUSE_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(submit,
	TP_PROTO(u32 device, u32 queue, const struct scuse_sqe *sqe),
	TP_ARGS(device, queue, sqe),
	TP_STRUCT__entry(
		__field(u32, device)
		__field(u32, queue)
		__field(u64, tag)
		__field(u8, op)
		__field(u16, flags)
		__field(u64, lba)
		__field(u32, data_len)
	),
	TP_fast_assign(
		__entry->device = device;
		__entry->queue = queue;
		__entry->tag = sqe->tag;
		__entry->op = sqe->op;
		__entry->flags = sqe->flags;
		__entry->lba = sqe->lba;
		__entry->data_len = sqe->data_len;
	),
	TP_printk("scuse%u queue=%u tag=%llx op=%u flags=%x lba=%llu data_len=%u",
		  __entry->device, __entry->queue, __entry->tag, __entry->op, __entry->flags, __entry->lba,
		  __entry->data_len)
);

TRACE_EVENT(complete,
	TP_PROTO(u32 device, u32 queue, u64 tag, u8 status, u32 data_len),
	TP_ARGS(device, queue, tag, status, data_len),
	TP_STRUCT__entry(
		__field(u32, device)
		__field(u32, queue)
		__field(u64, tag)
		__field(u8, status)
		__field(u32, data_len)
	),
	TP_fast_assign(
		__entry->device = device;
		__entry->queue = queue;
		__entry->tag = tag;
		__entry->status = status;
		__entry->data_len = data_len;
	),
	TP_printk("scuse%u queue=%u tag=%llx status=%02x data_len=%u",
		  __entry->device, __entry->queue, __entry->tag, __entry->status, __entry->data_len)
);

TRACE_EVENT(violation,
	TP_PROTO(u32 device, u32 queue, u32 rule),
	TP_ARGS(device, queue, rule),
	TP_STRUCT__entry(
		__field(u32, device)
		__field(u32, queue)
		__field(u32, rule)
	),
	TP_fast_assign(
		__entry->device = device;
		__entry->queue = queue;
		__entry->rule = rule;
	),
	TP_printk("scuse%u queue=%u rule=%u", __entry->device, __entry->queue, __entry->rule)
);

#endif /* SCUSE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
