/* SPDX-License-Identifier: MIT */
/*
 * The version of the scuse release that these headers belong to.
 *
 * For messages, --version and package metadata only.  What two parts need to agree on before they talk
 * to each other is versioned apart from releases: the ring and netlink by SCUSE_ABI_MAJOR/MINOR
 * (scuse/abi.h), handler plugins by SCUSE_HANDLER_ABI_MAJOR/MINOR (scuse/handler.h).
 *
 * CMakeLists.txt and dkms.conf read the number from here, so that it stands in one place.
 */
#ifndef SCUSE_VERSION_H
#define SCUSE_VERSION_H

#define SCUSE_VERSION_MAJOR 0
#define SCUSE_VERSION_MINOR 1
#define SCUSE_VERSION_PATCH 0
#define SCUSE_VERSION "0.1.0"

#endif /* SCUSE_VERSION_H */
