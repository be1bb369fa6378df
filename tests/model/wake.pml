/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wake-up protocol between the kernel half (kmod/queue.c: scuse_publish, scuse_queue_wake,
 * scuse_plug_device; kmod/session.c: scuse_enter_wait, scuse_queue_poll; kmod/reap.c: scuse_queue_reap) and
 * a worker (runner/worker/ring.c: ring_publish, ring_sleep_begin), with store buffers.
 *
 * MEMORY.  Each thread has a store buffer: a store is seen by others when the buffer lets it go, in program
 * order (TSO); loads pass it.  smp_mb() waits until the thread's own buffer is empty.  A lock is let go by a
 * store like any other, and taken only by who sees it free.  Where the code has no release, the two stores
 * may come in either order.  Loads are not reordered among themselves.
 *
 * PROCESSES
 *	Submitter	publishes COMMANDS entries, wakes; one of them plugs the queue around its batch.  Takes
 *			completions that it finds waiting, as scuse_io_begin() does.
 *	Worker		takes entries, publishes completions, kicks, sleeps in ENTER or in poll().
 *	Poller		(-DPOLLS) a kernel half that looks at cq_tail by itself for a while, and has NEED_KICK clear as long
 *			as it does.  The protocol allows that (scuse/abi.h, Kicking); the kernel half does not do it yet.
 *
 * CHECKED.  No state without an end: a worker that sleeps while an entry waits, or a completion that nobody
 * takes, is a deadlock here.  No entry is read before it is written.
 *
 * NEGATIVE FORMS (-D...): each takes one rule away, and must fail.
 *	NO_WAKE_BARRIER	     scuse_queue_wake() without smp_mb()
 *	NO_ENTER_BARRIER     a sleeper in ENTER looks at sq_tail without a barrier after queueing itself
 *	NO_POLL_BARRIER	     scuse_queue_poll() without smp_mb()
 *	NO_FLAG_BARRIER	     ring_sleep_begin() without a barrier between flag and sq_tail
 *	NO_RELEASE	     sq_tail is stored without release
 *	NO_UNPLUG_WAKE	     a plug is let go without a wake-up
 *	PLUG_FOR_ALL	     a plug silences the wake-ups of other tasks too
 *	NO_KICK_BARRIER	     ring_publish() without a barrier between cq_tail and kernel.flags
 *	NO_KICK_RECHECK	     the poller goes without another look at cq_tail after it has set NEED_KICK
 *	REAP_TRIES_LOCK	     a reaper that finds reap_lock taken leaves it at that
 */
#ifndef SUBMITTERS
#define SUBMITTERS 2
#endif
#ifndef COMMANDS
#define COMMANDS 1 /* of each submitter */
#endif
#define TOTAL (SUBMITTERS * COMMANDS)

/* Threads, by their store buffer. */
#define WORKER	 SUBMITTERS
#define POLLER	 (SUBMITTERS + 1)
#define THREADS	 (SUBMITTERS + 2)

/* Memory that is shared. */
#define SQ_TAIL	   0 /* queue.sq_tail, which sleepers look at */
#define RING_TAIL  1 /* queue.kernel->sq_tail, which userspace loads */
#define ENTER_WAIT 2 /* is somebody in queue.enter_wait */
#define POLL_WAIT  3
#define USER_FLAGS 4 /* NEED_WAKEUP */
#define CQ_TAIL	   5 /* queue.user->cq_tail */
#define CQ_HEAD	   6 /* queue.cq_head */
#define KICK	   7 /* kernel.flags: NEED_KICK */
#define LOCK	   8 /* queue.lock */
#define REAP_LOCK  9
#define PLUGGER	   10 /* thread + 1; only changed by cmpxchg or by its owner */
#define SQE	   11 /* entries that are written */
byte memory[11 + TOTAL];

chan buffer[THREADS] = [4] of { byte, byte };

bool epoll;	/* poll_wait has epoll on it, for good */
bool awake;	/* the worker has been made runnable */
bool ready;	/* epoll has been woken */
byte completed; /* completions that were taken; under REAP_LOCK */
byte done;	/* threads */

inline store(thread, where, what)
{
	buffer[thread]!where, what
}

inline smp_mb(thread)
{
	empty(buffer[thread])
}

/* Whoever sees a lock free has seen what was stored before; taking it is an atomic operation of its own. */
inline spin_lock(thread, lock)
{
	atomic {
		empty(buffer[thread]) && !memory[lock];
		memory[lock] = 1
	}
}

inline spin_unlock(thread, lock)
{
	store(thread, lock, 0)
}

/* Lets stores go, each when it likes. */
proctype Buffer(byte thread)
{
	byte where, what;

end:	do
	:: atomic {
		buffer[thread]?where, what;
		memory[where] = what
	}
	od
}

/* scuse_queue_reap(), once it has reap_lock */
inline reap_locked(thread)
{
	atomic {
		tail = memory[CQ_TAIL];
		assert(tail >= completed);
		completed = tail
	};
	store(thread, CQ_HEAD, tail);
	spin_unlock(thread, REAP_LOCK)
}

inline scuse_queue_reap(thread)
{
#ifdef REAP_TRIES_LOCK
	if
	:: memory[REAP_LOCK] -> skip
	:: atomic { empty(buffer[thread]) && !memory[REAP_LOCK]; memory[REAP_LOCK] = 1 };
		reap_locked(thread)
	fi
#else
	spin_lock(thread, REAP_LOCK);
	reap_locked(thread)
#endif
}

/* wake_up() and wake_up_poll(): the wait queue's own lock makes them atomic.  A task leaves the queue, epoll stays. */
inline wake_up(list)
{
	atomic {
		if
		:: memory[list] && !(list == POLL_WAIT && epoll) -> memory[list] = 0; awake = 1
		:: memory[list] && list == POLL_WAIT && epoll -> ready = 1
		:: else
		fi
	}
}

/* scuse_queue_wake(); `plugged`: the caller is queue.plugger */
inline scuse_queue_wake(thread)
{
	if
#ifdef PLUG_FOR_ALL
	:: plugged || (memory[PLUGGER] && memory[PLUGGER] != thread + 1) -> skip
#else
	:: plugged -> skip
#endif
	:: else ->
#ifndef NO_WAKE_BARRIER
		smp_mb(thread);
#endif
		if
		:: memory[ENTER_WAIT] -> wake_up(ENTER_WAIT)
		:: else
		fi;
		if
		:: memory[USER_FLAGS] ->
			if
			:: memory[POLL_WAIT] -> wake_up(POLL_WAIT)
			:: else
			fi
		:: else
		fi
	fi
}

/* The locked part of scuse_io_publish(), with scuse_publish(). */
inline scuse_io_publish(thread)
{
	spin_lock(thread, LOCK);
	atomic { tail = memory[SQ_TAIL]; assert(tail < TOTAL) };
#ifdef NO_RELEASE
	if
	:: store(thread, SQE + tail, 1); store(thread, SQ_TAIL, tail + 1); store(thread, RING_TAIL, tail + 1)
	:: store(thread, SQ_TAIL, tail + 1); store(thread, RING_TAIL, tail + 1); store(thread, SQE + tail, 1)
	fi;
#else
	store(thread, SQE + tail, 1);
	store(thread, SQ_TAIL, tail + 1);
	store(thread, RING_TAIL, tail + 1);
#endif
	spin_unlock(thread, LOCK)
}

/* The first submitter is the one that core lets plug the queue (scuse_plug_device(), a cmpxchg). */
proctype Submitter(byte thread)
{
	byte tail, i;
	bool plugged;

	atomic {
		if
		:: thread == 0 -> memory[PLUGGER] = thread + 1; plugged = true
		:: else
		fi
	}
	for (i : 1 .. COMMANDS) {
		/* scuse_io_begin() */
		if
		:: memory[CQ_TAIL] != memory[CQ_HEAD] -> scuse_queue_reap(thread)
		:: else
		fi;
		scuse_io_publish(thread);
		scuse_queue_wake(thread)
	}
	/* scuse_unplug_device(): its own entries have been published, as it knows without looking at memory. */
	if
	:: plugged ->
		store(thread, PLUGGER, 0);
		plugged = false;
#ifndef NO_UNPLUG_WAKE
		scuse_queue_wake(thread)
#endif
	:: else
	fi;
	done++
}

/* scuse_ioctl_enter() up to where it may sleep.  What the caller has stored itself it sees in its own buffer. */
inline enter_reaps()
{
	must_enter = false;
	if
	:: published != memory[CQ_HEAD] -> scuse_queue_reap(WORKER)
	:: else
	fi
}

/* scuse_enter_wait(): on the wait queue, then another look; away again at the end */
inline sleep_in_enter()
{
	enter_reaps();
	if
	:: memory[SQ_TAIL] != head
	:: else ->
		awake = 0;
		store(WORKER, ENTER_WAIT, 1);
#ifndef NO_ENTER_BARRIER
		smp_mb(WORKER);
#endif
		if
		:: memory[SQ_TAIL] != head
		:: else -> awake
		fi;
		atomic { empty(buffer[WORKER]); memory[ENTER_WAIT] = 0 }
	fi
}

/* poll(): on the wait queue, then scuse_queue_poll()'s look */
inline sleep_in_poll()
{
	awake = 0;
	store(WORKER, POLL_WAIT, 1);
#ifndef NO_POLL_BARRIER
	smp_mb(WORKER);
#endif
	if
	:: memory[SQ_TAIL] != head
	:: else -> awake
	fi;
	atomic { empty(buffer[WORKER]); memory[POLL_WAIT] = 0 }
}

/* epoll_wait(): level-triggered; the file is asked only after it has woken epoll, which is on its wait queue for good */
inline sleep_in_epoll()
{
	do
	:: atomic { ready -> ready = 0 };
#ifndef NO_POLL_BARRIER
		smp_mb(WORKER);
#endif
		if
		:: memory[SQ_TAIL] != head -> ready = 1; break
		:: else
		fi
	od
}

/* ring_sleep_begin(), sleep, ring_sleep_end() */
inline sleep_with_flag()
{
	if
	:: must_enter -> enter_reaps()
	:: else
	fi;
	store(WORKER, USER_FLAGS, 1);
#ifndef NO_FLAG_BARRIER
	smp_mb(WORKER);
#endif
	if
	:: memory[RING_TAIL] != head
	:: else ->
		if
		:: epoll -> sleep_in_epoll()
		:: else -> sleep_in_poll()
		fi
	fi;
	store(WORKER, USER_FLAGS, 0)
}

/* ring_publish() */
inline ring_publish()
{
	published = head;
	store(WORKER, CQ_TAIL, published);
#ifndef NO_KICK_BARRIER
	smp_mb(WORKER);
#endif
	if
	:: memory[KICK] -> must_enter = true
	:: else
	fi
}

proctype Worker()
{
	byte head, published, tail;
	bool must_enter;

	do
	:: atomic {
		memory[RING_TAIL] != head ->
			assert(memory[SQE + head]);
			head++
		}
	:: published != head -> ring_publish()
	:: must_enter -> enter_reaps()
	:: head == TOTAL && published == head && !must_enter -> break
	:: memory[RING_TAIL] == head && published == head ->
		if
		:: head == TOTAL -> skip /* it would sleep for good */
		:: else ->
			if
			:: true -> sleep_in_enter()
			:: true -> sleep_with_flag()
			fi
		fi
	od;
	done++
}

proctype Poller()
{
	byte tail;

	store(POLLER, KICK, 0);
	do
	:: memory[CQ_TAIL] != memory[CQ_HEAD] -> scuse_queue_reap(POLLER)
	:: break
	od;
	store(POLLER, KICK, 1);
	smp_mb(POLLER);
#ifndef NO_KICK_RECHECK
	if
	:: memory[CQ_TAIL] != memory[CQ_HEAD] -> scuse_queue_reap(POLLER)
	:: else
	fi;
#endif
	done++
}

init {
	byte i;

	atomic {
		memory[KICK] = 1;
		if
		:: epoll = true; memory[POLL_WAIT] = 1
		:: epoll = false
		fi;
		for (i : 0 .. THREADS - 1) {
			run Buffer(i)
		}
		for (i : 0 .. SUBMITTERS - 1) {
			run Submitter(i)
		}
		run Worker();
#ifdef POLLS
		run Poller()
#else
		done++
#endif
	}
	done == THREADS;
	assert(completed == TOTAL)
}
