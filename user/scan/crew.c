// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads that wait for work. */
#include "scan/crew.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* Enough for libcrypto and a libarchive filter; the default of 8 MiB counts against RLIMIT_AS. */
#define STACK (1 << 20)
#define GUARD 65536 /* below it, of any machine's pages: who runs over faults */

struct crew {
	pthread_mutex_t lock;
	pthread_cond_t change;
	struct member {
		struct crew *crew;
		pthread_t thread;
		uint8_t *stack; /* secret: wiped */
	} members[CREW_MAX]; /* by number; the first is the caller's thread */
	unsigned workers;
	/* Under the lock. */
	unsigned idle;
	unsigned turn; /* each crew_run() is one */
	unsigned keep; /* threads of this number and above end */
	void (*work)(void *userdata, unsigned worker);
	void *userdata;
};

static void *work_on(void *p)
{
	const struct member *member = p;
	struct crew *crew = member->crew;
	const unsigned number = (unsigned)(member - crew->members);
	unsigned turn = 0;

	pthread_mutex_lock(&crew->lock);
	for (;;) {
		crew->idle++;
		pthread_cond_broadcast(&crew->change);
		while (crew->turn == turn && number < crew->keep)
			pthread_cond_wait(&crew->change, &crew->lock);
		if (number >= crew->keep)
			break;
		turn = crew->turn;
		pthread_mutex_unlock(&crew->lock);
		crew->work(crew->userdata, number);
		pthread_mutex_lock(&crew->lock);
	}
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

static void wait_idle(struct crew *crew)
{
	while (crew->idle < crew->workers - 1)
		pthread_cond_wait(&crew->change, &crew->lock);
}

/* Ours, as those of the C library are kept for the next thread as they were left. */
static uint8_t *stack_new(void)
{
	uint8_t *stack = mmap(NULL, GUARD + STACK, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		return NULL;
	if (mprotect(stack, GUARD, PROT_NONE) < 0) {
		munmap(stack, GUARD + STACK);
		return NULL;
	}
	return stack;
}

static void stack_free(uint8_t *stack)
{
	explicit_bzero(stack + GUARD, STACK);
	munmap(stack, GUARD + STACK);
}

/* One more thread; false: there is none to be had. */
static bool hire(struct crew *crew)
{
	struct member *member = &crew->members[crew->workers];
	uint8_t *stack = stack_new();
	pthread_attr_t attr;
	int err;

	if (!stack)
		return false;
	member->crew = crew;
	pthread_attr_init(&attr);
	err = pthread_attr_setstack(&attr, stack + GUARD, STACK);
	if (!err)
		err = pthread_create(&member->thread, &attr, work_on, member);
	pthread_attr_destroy(&attr);
	if (err) {
		stack_free(stack);
		return false;
	}
	member->stack = stack;
	crew->workers++;
	return true;
}

int crew_new(unsigned workers, struct crew **out_crew)
{
	struct crew *crew = calloc(1, sizeof(*crew));

	if (!crew)
		return -ENOMEM;
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->change, NULL);
	crew->keep = CREW_MAX;
	crew->workers = 1;
	while (crew->workers < workers && crew->workers < CREW_MAX && hire(crew))
		;
	/* Not for tidiness: a thread that is still starting makes calls (rseq, set_robust_list)
	 * that the filter which the caller is about to enter kills for. */
	pthread_mutex_lock(&crew->lock);
	wait_idle(crew);
	pthread_mutex_unlock(&crew->lock);
	*out_crew = crew;
	return 0;
}

void crew_shrink(struct crew *crew, unsigned workers)
{
	pthread_mutex_lock(&crew->lock);
	crew->keep = workers;
	pthread_cond_broadcast(&crew->change);
	pthread_mutex_unlock(&crew->lock);
	while (crew->workers > workers) {
		struct member *member = &crew->members[--crew->workers];

		pthread_join(member->thread, NULL);
		stack_free(member->stack);
	}
}

void crew_free(struct crew *crew)
{
	if (!crew)
		return;
	crew_shrink(crew, 1);
	pthread_cond_destroy(&crew->change);
	pthread_mutex_destroy(&crew->lock);
	free(crew);
}

unsigned crew_workers(const struct crew *crew)
{
	return crew ? crew->workers : 1;
}

void crew_run(struct crew *crew, void (*lead)(void *userdata),
	      void (*work)(void *userdata, unsigned worker), void *userdata)
{
	if (!crew) {
		lead(userdata);
		return;
	}
	pthread_mutex_lock(&crew->lock);
	crew->work = work;
	crew->userdata = userdata;
	crew->idle = 0;
	crew->turn++;
	pthread_cond_broadcast(&crew->change);
	pthread_mutex_unlock(&crew->lock);
	lead(userdata);
	pthread_mutex_lock(&crew->lock);
	wait_idle(crew);
	pthread_mutex_unlock(&crew->lock);
}
