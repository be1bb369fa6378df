// SPDX-License-Identifier: LGPL-2.1-or-later
/* The budget of restarts.  See budget.h. */
#include "budget.h"

#include <string.h>

static void add(struct budget *budget, gint64 when)
{
	budget->when[budget->next] = when;
	budget->next = (budget->next + 1) % BUDGET_RESTARTS;
}

int budget_take(struct budget *budget, gint64 now)
{
	unsigned int recent = 0;

	for (unsigned int i = 0; i < BUDGET_RESTARTS; i++)
		recent += budget->when[i] && now - budget->when[i] < BUDGET_WINDOW;
	if (recent == BUDGET_RESTARTS)
		return -1;
	add(budget, now);
	return BUDGET_DELAY << recent;
}

void budget_reset(struct budget *budget)
{
	memset(budget, 0, sizeof(*budget));
}

GVariant *budget_save(const struct budget *budget)
{
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE("ax"));
	for (unsigned int i = 0; i < BUDGET_RESTARTS; i++) {
		gint64 when = budget->when[(budget->next + i) % BUDGET_RESTARTS];

		if (when)
			g_variant_builder_add(&builder, "x", when);
	}
	return g_variant_builder_end(&builder);
}

void budget_restore(struct budget *budget, GVariant *saved, gint64 now)
{
	size_t count = saved ? g_variant_n_children(saved) : 0;

	budget_reset(budget);
	for (size_t i = 0; i < count; i++) {
		gint64 when;

		g_variant_get_child(saved, i, "x", &when);
		if (when > 0 && when <= now)
			add(budget, when);
	}
}
