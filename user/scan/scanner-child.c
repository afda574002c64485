// SPDX-License-Identifier: GPL-2.0-or-later
/* What the walled-in scanner does: says what dump_scan() finds into the channel. */
#include "scan/scanner-child.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "scan/channel.h"
#include "scan/sandbox.h"
#include "scan/wipe.h"

#define MEMORY (512 << 20) /* of address space */

static int say(const struct channel_message *message)
{
	uint8_t bytes[CHANNEL_MAX];
	size_t len = channel_encode(message, bytes);

	return write(1, bytes, len) == (ssize_t)len ? 0 : -EPIPE;
}

static int say_about(void *userdata, const struct scan_about *about)
{
	return say(&(struct channel_message){.type = CHANNEL_ABOUT, .about = *about});
}

static int say_finding(void *userdata, const struct finding *finding)
{
	return say(&(struct channel_message){.type = CHANNEL_FINDING, .finding = *finding});
}

static void say_progress(void *userdata, uint64_t done, uint64_t total)
{
	say(&(struct channel_message){.type = CHANNEL_PROGRESS, .progress = {done, total}});
}

static int say_digest(void *userdata, const struct scan_digest *digest)
{
	return say(&(struct channel_message){.type = CHANNEL_DIGEST, .digest = *digest});
}

static int start_threads(void *userdata)
{
	dump_start(userdata);
	return 0;
}

void scanner_child(struct dump_input *dump, uint32_t cpu_seconds)
{
	static const struct dump_events events = {say_about, say_finding, say_progress, say_digest};
	struct scan_limits limits = {
		.memory = MEMORY,
		.cpu_seconds = cpu_seconds,
		.refuse_files = true,
		.threads = start_threads,
		.userdata = dump,
	};
	struct channel_message done = {.type = CHANNEL_DONE};

	signal(SIGPIPE, SIG_IGN);
	done.error =
		scan_sandbox_enter(&limits, NULL) < 0 ? -EPERM : dump_scan(dump, &events, NULL);
	dump_stop(dump);
	wipe_stack();
	_exit(say(&done) < 0);
}
