/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Printing; see output.h.  Called by all commands.  No state but stdio's.
 */
#include "output.h"

#include <stdio.h>
#include <string.h>
#include "cli.h"

struct Table {
	const char *const *headings;
	guint columns;
	GPtrArray *cells; /* row by row */
};

static void print_line(const char *prefix, const char *format, va_list args) G_GNUC_PRINTF(2, 0);
static void print_line(const char *prefix, const char *format, va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);
	g_autofree char *shown = printable(text);

	fprintf(stderr, "%s%s\n", prefix, shown);
}

void print_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("scuse: ", format, args);
	va_end(args);
}

void print_warning(const char *format, ...)
{
	va_list args;

	if (globals.quiet)
		return;
	va_start(args, format);
	print_line("scuse: warning: ", format, args);
	va_end(args);
}

void print_note(const char *format, ...)
{
	va_list args;

	if (globals.quiet || globals.json)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void print_field(const char *key, const char *format, ...)
{
	g_autofree char *value = NULL, *shown = NULL;
	va_list args;

	va_start(args, format);
	value = g_strdup_vprintf(format, args);
	va_end(args);
	shown = printable(value);
	printf("%-14s %s\n", key, shown);
}

void print_json(const ScuseJson *json)
{
	puts(scuse_json_text(json));
	fflush(stdout);
}

char *format_size(uint64_t bytes)
{
	static const char units[] = "kMGTPE";
	double value = (double)bytes;
	int unit = -1;

	for (uint64_t rest = bytes; rest >= 1024 && unit < 5; rest >>= 10)
		unit++;
	if (unit < 0)
		return g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
	if (bytes % (1ull << (10 * (unit + 1))) == 0)
		return g_strdup_printf("%" G_GUINT64_FORMAT "%c", bytes >> (10 * (unit + 1)), units[unit]);
	value /= (double)(1ull << (10 * (unit + 1)));
	return g_strdup_printf(value < 10 ? "%.2f%c" : value < 100 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

char *printable(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *shown = g_string_new(NULL);

	for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
		gunichar character = g_utf8_get_char(c);

		if (character == '\n' || character == '\t')
			g_string_append_c(shown, ' ');
		else if (g_unichar_iscntrl(character))
			g_string_append_printf(shown, "\\x%02x", character);
		else
			g_string_append_unichar(shown, character);
	}
	return g_string_free(shown, FALSE);
}

Table *table_new(const char *const *headings)
{
	Table *table = g_new0(Table, 1);

	table->headings = headings;
	while (headings[table->columns])
		table->columns++;
	table->cells = g_ptr_array_new_with_free_func(g_free);
	return table;
}

void table_free(Table *table)
{
	if (!table)
		return;
	g_ptr_array_unref(table->cells);
	g_free(table);
}

void table_add(Table *table, const char *cell)
{
	g_ptr_array_add(table->cells, printable(cell));
}

void table_addf(Table *table, const char *format, ...)
{
	g_autofree char *cell = NULL;
	va_list args;

	va_start(args, format);
	cell = g_strdup_vprintf(format, args);
	va_end(args);
	table_add(table, cell);
}

static glong width(const char *text)
{
	glong columns = 0;

	for (; *text; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		columns += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
	}
	return columns;
}

static bool right_aligned(const Table *table, guint column)
{
	return table->headings[column][0] == '>';
}

static const char *heading(const Table *table, guint column)
{
	return table->headings[column] + (right_aligned(table, column) ? 1 : 0);
}

static void append_cell(GString *text, const Table *table, guint column, const char *cell, glong columns)
{
	int padding = (int)(columns - width(cell));
	bool last = column + 1 == table->columns;

	if (right_aligned(table, column))
		g_string_append_printf(text, "%*s%s", padding, "", cell);
	else
		g_string_append_printf(text, "%s%*s", cell, last ? 0 : padding, "");
	g_string_append(text, last ? "\n" : "  ");
}

char *table_format(const Table *table)
{
	g_autofree glong *widths = g_new0(glong, table->columns + 1);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < table->columns; i++)
		widths[i] = width(heading(table, i));
	for (guint i = 0; i < table->cells->len; i++)
		widths[i % table->columns] = MAX(widths[i % table->columns], width(table->cells->pdata[i]));
	for (guint i = 0; i < table->columns; i++)
		append_cell(text, table, i, heading(table, i), widths[i]);
	for (guint i = 0; i < table->cells->len; i++)
		append_cell(text, table, i % table->columns, table->cells->pdata[i],
			    widths[i % table->columns]);
	return g_string_free(text, FALSE);
}

void table_print(const Table *table)
{
	g_autofree char *text = table_format(table);

	fputs(text, stdout);
}
