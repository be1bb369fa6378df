#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The template builds outside the tree, with CMake and with make, against a scuse that is installed in a prefix of its
# own, and scuse-runner loads what comes out.
#
# usage: template.sh BUILD_DIR SOURCE_DIR SCUSE_RUNNER
set -eu
build=$1 source=$2 runner=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

# What handler authors need: headers, scuse.pc, the CMake package.
cmake -S "$source" -B "$work/scuse" -DCMAKE_INSTALL_PREFIX="$work/prefix" -DSCUSE_TESTS=OFF \
	-DCMAKE_INSTALL_LIBDIR=lib >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
for part in include runner/dev; do
	mkdir -p "$work/scuse/$part"
done
mkdir -p "$work/prefix/include/scuse" "$work/prefix/lib/scuse/handlers"
cp "$source"/include/scuse/*.h "$work/prefix/include/scuse/"
cmake --install "$work/scuse/runner/dev" >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

expect() {
	"$runner" --plugin-dir "$1" --list-handlers >"$work/list" 2>&1
	grep -q "^template 0.1: a handler to start from" "$work/list" || { cat "$work/list"; exit 1; }
	"$runner" --plugin-dir "$1" --validate template fill=7 --size 1M
	if "$runner" --plugin-dir "$1" --validate template fill=256 --size 1M 2>"$work/error"; then
		echo "fill=256 was taken"; exit 1
	fi
	grep -q "a byte is 0 to 255" "$work/error"
}

echo "with CMake"
cp -r "$source/handlers/template" "$work/one"
cmake -S "$work/one" -B "$work/one/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" \
	>>"$work/log" 2>&1 && cmake --build "$work/one/build" >>"$work/log" 2>&1 &&
	cmake --install "$work/one/build" >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
expect "$work/prefix/lib/scuse/handlers"

echo "with make"
cp -r "$source/handlers/template" "$work/two"
PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig" make -s -C "$work/two" install DESTDIR="$work/dest" \
	CFLAGS="-O2 -Wall -Wextra -Werror" >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
expect "$work/dest$work/prefix/lib/scuse/handlers"
echo "both are good"
