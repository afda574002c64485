// SPDX-License-Identifier: GPL-2.0-or-later
/* A thread that waits for the disk. */
#include "journal/syncer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

struct syncer {
	int (*sync)(int fd);
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int fd; /* to be synced, -1 = nothing */
	int result; /* of what was synced last */
	bool busy, end;
};

static void *work(void *arg)
{
	struct syncer *s = arg;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		int fd, result;

		while (s->fd < 0 && !s->end)
			pthread_cond_wait(&s->wake, &s->lock);
		if (s->fd < 0)
			break;
		fd = take_fd(s->fd);
		pthread_mutex_unlock(&s->lock);
		result = s->sync(fd) < 0 ? -errno : 0;
		close(fd);
		pthread_mutex_lock(&s->lock);
		s->result = result;
		s->busy = false;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int syncer_new(int (*sync)(int fd), struct syncer **out_syncer)
{
	struct syncer *s = calloc(1, sizeof(*s));
	sigset_t all, before;
	int r;

	if (!s)
		return -ENOMEM;
	s->sync = sync;
	s->fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&s->thread, NULL, work, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r) {
		free(s);
		return -r;
	}
	*out_syncer = s;
	return 0;
}

int syncer_free(struct syncer *syncer)
{
	int result;

	if (!syncer)
		return 0;
	pthread_mutex_lock(&syncer->lock);
	syncer->end = true;
	pthread_cond_signal(&syncer->wake);
	pthread_mutex_unlock(&syncer->lock);
	pthread_join(syncer->thread, NULL);
	result = syncer->result;
	pthread_cond_destroy(&syncer->wake);
	pthread_mutex_destroy(&syncer->lock);
	free(syncer);
	return result;
}

int syncer_start(struct syncer *syncer, int fd)
{
	int r = 0;

	pthread_mutex_lock(&syncer->lock);
	if (syncer->busy) {
		r = -EBUSY;
	} else {
		syncer->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		r = syncer->fd < 0 ? -errno : 0;
		syncer->busy = r == 0;
		pthread_cond_signal(&syncer->wake);
	}
	pthread_mutex_unlock(&syncer->lock);
	return r;
}

bool syncer_busy(struct syncer *syncer, int *out_result)
{
	bool busy;

	pthread_mutex_lock(&syncer->lock);
	busy = syncer->busy;
	if (!busy && out_result)
		*out_result = syncer->result;
	pthread_mutex_unlock(&syncer->lock);
	return busy;
}
