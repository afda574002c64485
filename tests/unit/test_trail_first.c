// SPDX-License-Identifier: GPL-2.0-or-later
/* trail/graph-first: who read a file first, also over a restart of the daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tmpdir.h"
#include "trail/graph.h"
#include "trail/store.h"

#define SECOND 1000000000ULL

static bool identified;

/* Object n is of inode n + 100, or, if that is another file by now, of `inode`. */
static uint64_t inode;

static bool on_object(void *ctx, uint64_t number, struct trail_object *out)
{
	static struct key_identity key;

	key = (struct key_identity){.kind = KEY_ED25519, .source = KEYSRC_FILE};
	snprintf(key.ssh_fp, sizeof(key.ssh_fp), "SHA256:%u", (unsigned)number);
	*out = (struct trail_object){
		.inode = {.ino = inode ? inode : number + 100},
		.path = span_of(number == 1 ? "/keys/1" : "/keys/2"),
		.watch = span_of("keys"),
		.holds_key = true,
		.key = identified ? &key : NULL,
	};
	return true;
}

struct world {
	struct trail_store *store;
	struct trail_graph *graph;
	uint64_t time;
};

static void begin(struct world *w, const char *path)
{
	const struct trail_store_options options = {.path = path};
	struct trail_sink sink;

	assert_int_equal(trail_store_new(&options, &w->store), 0);
	w->graph = trail_graph_new(&(struct trail_graph_config){
		.host = "h",
		.boot_id = "0123456789",
		.object = on_object,
	});
	assert_non_null(w->graph);
	sink = trail_store_sink(w->store);
	trail_graph_set_sink(w->graph, &sink);
}

static void end(struct world *w)
{
	trail_graph_free(w->graph);
	trail_store_free(w->store);
}

static void reads(struct world *w, uint32_t pid, uint64_t object)
{
	const struct event ev = {
		.type = EVENT_ACCESS,
		.time = w->time += SECOND,
		.access =
			{
				.subject = {.id = {.start = pid, .exec_id = 1, .tgid = pid},
					    .loginuid = UID_UNSET},
				.inode = {.ino = inode ? inode : object + 100},
				.object = object,
				.how = ACCESS_OPEN,
				.mode = ACCESS_M_READ,
				.exe = span_of("/bin/p"),
			},
	};

	trail_graph_feed(w->graph, &ev);
}

static bool is_first(struct world *w, uint32_t pid, uint64_t object, uint64_t exec_id)
{
	return trail_graph_first_reader(
		w->graph, &(struct inode_id){.ino = inode ? inode : object + 100},
		&(struct proc_id){.start = pid, .exec_id = exec_id, .tgid = pid});
}

static int setup(void **state)
{
	identified = true;
	inode = 0;
	return tmpdir_make(state);
}

static void it_is_one_and_told_once(void **state)
{
	struct world w = {};

	begin(&w, tmpdir_path(state, "trail.db"));
	assert_false(is_first(&w, 10, 1, 1)); /* nobody has read it */
	reads(&w, 10, 1);
	reads(&w, 11, 1);
	assert_false(is_first(&w, 11, 1, 1));
	assert_false(is_first(&w, 10, 1, 2)); /* another program by now */
	assert_true(is_first(&w, 10, 1, 1));
	assert_false(is_first(&w, 10, 1, 1));
	reads(&w, 11, 2);
	assert_true(is_first(&w, 11, 2, 1));
	end(&w);
}

static void what_was_read_before_a_restart_was_read(void **state)
{
	const char *path = tmpdir_path(state, "trail.db");
	struct world w = {};

	begin(&w, path);
	reads(&w, 10, 1);
	end(&w);
	begin(&w, path);
	reads(&w, 12, 1);
	assert_false(is_first(&w, 12, 1, 1));
	/* Another file, of which nothing but the name is the same: with another key, say. */
	inode = 500;
	reads(&w, 13, 1);
	assert_false(is_first(&w, 13, 1, 1));
	/* Where nothing was. */
	inode = 0;
	reads(&w, 12, 2);
	assert_true(is_first(&w, 12, 2, 1));
	end(&w);
}

/* The clock of the wall is set; what it said is of no account. */
static void no_clock_decides(void **state)
{
	const char *path = tmpdir_path(state, "trail.db");
	struct world w = {};

	begin(&w, path);
	trail_graph_set_wall_offset(w.graph, 7200 * (int64_t)SECOND);
	reads(&w, 10, 1);
	end(&w);
	begin(&w, path);
	reads(&w, 12, 1);
	assert_false(is_first(&w, 12, 1, 1));
	reads(&w, 12, 2);
	trail_graph_set_wall_offset(w.graph, 7200 * (int64_t)SECOND);
	assert_true(is_first(&w, 12, 2, 1));
	end(&w);
}

static void of_what_has_no_trail_it_is_not_known(void **state)
{
	struct world w = {};

	identified = false;
	begin(&w, tmpdir_path(state, "trail.db"));
	reads(&w, 10, 1);
	end(&w);
	begin(&w, tmpdir_path(state, "other.db"));
	reads(&w, 10, 1);
	trail_graph_set_sink(w.graph, &(struct trail_sink){});
	identified = true;
	reads(&w, 10, 2);
	assert_true(is_first(&w, 10, 2, 1)); /* by what was seen, if nothing is kept */
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_one_and_told_once, setup, tmpdir_clean),
		cmocka_unit_test_setup_teardown(what_was_read_before_a_restart_was_read, setup,
						tmpdir_clean),
		cmocka_unit_test_setup_teardown(no_clock_decides, setup, tmpdir_clean),
		cmocka_unit_test_setup_teardown(of_what_has_no_trail_it_is_not_known, setup,
						tmpdir_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
