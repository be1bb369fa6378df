# SPDX-License-Identifier: GPL-2.0-only
#
# Makes rawtable.c of raw.table, which says what the columns mean, and checks each line:
#
#	awk -f rawtable.awk raw.table >rawtable.c
#
# An error is told on stderr with file and line; the status is 1 then, and what was written is not to be used.
# Called by Kbuild and by the unit tests' CMake file.  Any POSIX awk will do (mawk, gawk, busybox).

function fail(what)
{
	printf "%s:%d: %s\n", FILENAME, FNR, what > "/dev/stderr"
	failed = 1
}

# Of lower-case digits; -1: it is no such number.
function hex(digits,	i, at, value)
{
	if (digits == "" || length(digits) > 4)
		return -1
	value = 0
	for (i = 1; i <= length(digits); i++) {
		at = index("0123456789abcdef", substr(digits, i, 1))
		if (!at)
			return -1
		value = value * 16 + at - 1
	}
	return value
}

# Bytes of a CDB, as its operation code says (SPC-4 4.2.5.1); 0: it may have any length.
function group_length(code)
{
	if (code < 32)
		return 6
	if (code < 96)
		return 10
	if (code < 128)
		return 0
	return code < 160 ? 16 : 12
}

# The types of a line as letters, X for all that have none; "": not to be understood.
function type_letters(types,	i, letter, letters, kept)
{
	if (types ~ /^[DTRME]+$/)
		letters = types
	else if (types ~ /^\*(![DTRME]+)?$/)
		letters = "DTRMEX"
	kept = ""
	for (i = 1; i <= length(letters); i++) {
		letter = substr(letters, i, 1)
		if (index(kept, letter))
			return ""
		if (substr(types, 1, 1) == "*" && index(types, letter))
			continue
		kept = kept letter
	}
	return kept
}

# The same for C.
function type_bits(types,	i, bits, any)
{
	any = substr(types, 1, 1) == "*"
	bits = any ? "SCUSE_RAW_ANY" : ""
	for (i = any ? 3 : 1; i <= length(types); i++)
		bits = bits (bits == "" ? "" : any ? " & ~" : " | ") type_name[substr(types, i, 1)]
	return bits
}

# May the line stand where it stands?  Overlapping types would make the second line of no effect.
function check_place(letters, code, action,	i, n, key)
{
	key = code * 65536 + action
	if (key < last_key)
		fail("out of order: by operation code, then service action, those for all the others last")
	if (key != last_key)
		n_same = 0
	last_key = key
	for (i = 1; i <= length(letters); i++)
		for (n = 1; n <= n_same; n++)
			if (index(same[n], substr(letters, i, 1))) {
				fail("a line above is for the same command of the same device type")
				return
			}
	same[++n_same] = letters
}

# Sets unit, fixed, at, size from the data column.
function take_data(data, cdb_length, code,	parts, n, word, place)
{
	unit = "NOTHING"
	fixed = "0"
	at = size = 0
	if (data == "-")
		return
	if (data ~ /^fixed=[1-9][0-9]*$/) {
		unit = "FIXED"
		fixed = substr(data, 7)
		return
	}
	n = split(data, parts, "@")
	word = parts[1]
	if (n == 2) {
		if (parts[2] !~ /^[0-9]+\/[0-9]+$/) {
			fail("not a place in the CDB: " parts[2])
			return
		}
		split(parts[2], place, "/")
		at = place[1] + 0
		size = place[2] + 0
		# Neither the operation code nor the control byte is part of a number.
		if (at < 1 || size < 1 || size > 4 || at + size > (code == 127 ? cdb_length : cdb_length - 1))
			fail("the number is not within the CDB: " parts[2])
	}
	if (word in is_unit)
		unit = toupper(word)
	else if (word in is_special) {
		unit = "SPECIAL"
		fixed = "SCUSE_RAW_" toupper(word)
	} else
		fail("unknown rule for the data's length: " word)
	if (n > 2 || (n == 2) != (word in is_unit || is_special[word] == "counted"))
		fail("the rule " word (n == 2 ? " has no" : " needs a") " place in the CDB")
}

# Sets flags; the words are left in has[].
function take_flags(list, route, dir,	n, i, words)
{
	flags = ""
	split("", has)
	if (dir == "in" || dir == "both")
		flags = flags " | SCUSE_RAW_IN"
	if (dir == "out" || dir == "both")
		flags = flags " | SCUSE_RAW_OUT"
	n = list == "-" ? 0 : split(list, words, ",")
	for (i = 1; i <= n; i++) {
		if (!(words[i] in is_flag))
			fail("unknown flag: " words[i])
		if (words[i] in has)
			fail("twice: " words[i])
		has[words[i]] = 1
		flags = flags " | SCUSE_RAW_" toupper(words[i])
	}
	if ("writes" in has)
		flags = flags " | SCUSE_RAW_EXCLUSIVE"
	if (("writes" in has) + ("exclusive" in has) + ("shared" in has) > 1)
		fail("one of writes, exclusive, shared, not two: each includes what comes after it")
	if ("select" in has && dir != "out")
		fail("select needs data out")
	# The command's buffer is used for that, and holds the answer at that time.
	if ("parameters" in has && (dir == "in" || dir == "both"))
		fail("parameters cannot be read again after a command with data in")
	if ((route == "kernel" || route == "refused") && (n > 1 || (n == 1 && !("no_ua" in has))))
		fail("flags are for commands of the handler")
	flags = flags == "" ? "0" : substr(flags, 4)
}

function quote(text)
{
	if (text ~ /["\\]/)
		fail("neither quotes nor backslashes, please")
	return "\"" text "\""
}

BEGIN {
	type_name["D"] = "SCUSE_RAW_DISK"
	type_name["T"] = "SCUSE_RAW_TAPE"
	type_name["R"] = "SCUSE_RAW_CD"
	type_name["M"] = "SCUSE_RAW_CHANGER"
	type_name["E"] = "SCUSE_RAW_ENCLOSURE"
	route_name["kernel"] = "KERNEL"
	route_name["handler"] = "HANDLER"
	route_name["mask"] = "MASKED"
	route_name["refused"] = "REFUSED"
	is_unit["bytes"]; is_unit["blocks"]; is_unit["records"]
	is_special["expected"] = is_special["same"] = is_special["format"] = "alone"
	is_special["block_limits"] = is_special["ata"] = "alone"
	is_special["blocks_256"] = is_special["verify"] = is_special["twice"] = "counted"
	is_special["tape_verify"] = is_special["security"] = "counted"
	is_flag["writes"]; is_flag["exclusive"]; is_flag["shared"]; is_flag["alone"]; is_flag["parameters"]
	is_flag["select"]; is_flag["no_ua"]; is_flag["endless"]
	last_key = -1
	print "// SPDX-License-Identifier: GPL-2.0-only"
	print "/* Made of raw.table by rawtable.awk: edit these. */"
	print "#include \"raw.h\""
	print "#include \"opcode.h\"\n"
	print "const struct scuse_raw_entry scuse_raw_table[] = {"
}

/^[ \t]*(#|$)/ { next }

{
	if (NF < 9) {
		fail("a line has 8 columns and a name")
		next
	}
	letters = type_letters($1)
	if (letters == "")
		fail("unknown types: " $1)
	code = length($2) == 2 ? hex($2) : -1
	if (code < 0)
		fail("not an operation code: " $2)
	action = $3 == "-" ? 65535 : hex($3)
	if (action < 0 || ($3 != "-" && action > (code == 127 ? 65534 : 31)))
		fail("not a service action: " $3)
	if ($4 !~ /^[0-9]+$/ || $4 < 6 || $4 > 260 || (group_length(code) && $4 != group_length(code)))
		fail("a CDB with this operation code has another length: " $4)
	if (!($5 in route_name))
		fail("unknown route: " $5)
	if ($6 != "in" && $6 != "out" && $6 != "both" && $6 != "-")
		fail("unknown direction: " $6)
	if (($6 == "-") != ($7 == "-"))
		fail("a direction without data, or data without a direction")
	if ($6 == "both" && $5 != "refused" && $7 != "ata")
		fail("no command that passes has both directions, but one of them")
	check_place(letters, code, action)
	take_data($7, $4, code)
	take_flags($8, $5, $6)

	text = $9
	for (i = 10; i <= NF; i++)
		text = text " " $i
	at_reason = index(text, " ; ")
	reason = at_reason ? substr(text, at_reason + 3) : ""
	name = at_reason ? substr(text, 1, at_reason - 1) : text
	if (name ~ /;/)
		fail("the reason comes after a semicolon between spaces")
	if (reason == "" && ($5 == "kernel" || $5 == "refused"))
		fail("a reason is missing")

	printf "\t{ .types = %s, .opcode = 0x%s, .action = %s, .cdb_length = %d,\n", type_bits($1), $2, \
		$3 == "-" ? "SCUSE_NO_ACTION" : "0x" $3, $4
	printf "\t  .route = SCUSE_RAW_%s, .flags = %s,\n", route_name[$5], flags
	printf "\t  .unit = SCUSE_RAW_%s, .count_at = %d, .count_size = %d,\n", unit, at, size
	printf "\t  .fixed = %s,\n", fixed
	printf "\t  .name = %s,\n\t  .reason = %s },\n", quote(name), reason == "" ? "NULL" : quote(reason)
}

END {
	print "};\n"
	print "const u32 scuse_raw_count = sizeof(scuse_raw_table) / sizeof(scuse_raw_table[0]);"
	exit failed
}
