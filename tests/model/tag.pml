/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tags of one queue and the commands that hold them, over several sessions: kmod/tag.h (states), queue.c (taking,
 * publishing), reap.c (completions, the end of a session, quarantine), orphan.c (waiting and replay), session.c,
 * revoke.c, watch.c (deadlines), fence.c.
 *
 * STEPS.  What the code does under queue.lock or reap_lock, or by one compare-and-exchange, is one step here;
 * anything may come between two steps.  Memory is sequentially consistent: wake.pml is about barriers.  Time is
 * not modelled: a deadline may pass at any moment after it was set.  Not modelled: claims (range.h), raw LUNs, devices
 * that are removed, policies other than orphan_policy=wait and inflight_policy=replay.
 *
 * PROCESSES
 *	Initiator	one command: takes a tag, fills its slot, submits; waits as a holder while nobody serves the device.
 *			Command 0 needs two submissions (step.h).
 *	Worker		one session: START with replay, commands, and some end: by itself, by SIGKILL, or stuck in the kernel
 *			for as long as it likes.  It writes to its backing store whenever it has a command, may complete
 *			a command twice (-DHOSTILE), or never; I/O of its into slots may outlive it.
 *	Reaper		ENTER, and submitters that find completions
 *	Watch		deadlines: ends what waits and was given up, revokes sessions, quarantines
 *	Review		(-DREVIEW) orphan_timeout
 *	Late		replays what was parked when START had just found nothing more to replay
 *	Aborter		(-DABORTS) core's task management: marks commands
 *
 * CHECKED
 *	- a command ends exactly once, and a completion counts for the submission that it was made for
 *	- a slot is filled only while no process may touch it: no quarantined slot is used again, nor one of a dead
 *	  process with I/O under way
 *	- no worker writes to the backing store after a later session has started
 *	- what is replayed is handed out in the order in which it was handed out before
 *	- nothing ends with BUSY unless a deadline has passed, it was aborted, or there was no tag
 *	- everything ends: no state in which nothing can happen, but the one in which all commands have ended, all tags are
 *	  free, and the last session has been cleared away
 *	- with -DNO_COMMAND_TIMEOUT, and without orphan_timeout: each command that is aborted ends nevertheless
 *
 * NEGATIVE FORMS (-D...): each takes one rule away, and must fail.
 *	NO_GENERATION	     a completion's generation is not looked at
 *	NO_RENEW	     a further submission keeps the generation
 *	NO_REAP_LOCK	     a completion is checked and taken in two steps
 *	NO_LIVE_CHECK	     publication does not look whether the session has ended
 *	FREE_QUARANTINED     a quarantined tag becomes free when its command ends
 *	NO_DEV_LOCK	     quarantine and the end of a session do not exclude each other
 *	NO_FENCE	     the next session does not wait for I/O of the dead process
 *	START_EARLY	     the next session does not wait for the end of the process of the one before
 *	END_IN_ORDER_OF_TAGS orphans are not sorted
 *	NO_LATE		     nobody replays what is parked when the queue is live
 *	PARK_ONLY_PARKING    a step that finds the session gone, and then a new one serving, does not wait for it
 *	REST_KEEPS_DRAIN     who parks a command does not see to the end of the session
 *	ABORT_ONCE	     task management looks for a command once, and the watch does not look itself whether it was aborted
 */
#define TAGS 2
#ifndef COMMANDS
#define COMMANDS 2
#endif
#ifndef SESSIONS
#define SESSIONS 2
#endif
#define NONE	   255
#define OTHER(tag) (1 - tag) /* there are two */

mtype = { FREE, KERNEL, USER, QUARANTINED };
mtype = { ABSENT, STARTED, BROKEN, ENDED };

/* Tags. */
mtype state[TAGS] = FREE;
byte generation[TAGS];
byte command[TAGS] = NONE;
byte position[TAGS]; /* 0: was handed out before the other, 1: after it */

/* The queue. */
bool live;
bool starting;
bool parking = true;
bool draining;
byte used;
byte at_rest;
bool sess;		/* completions are taken */
byte orphan[TAGS];	/* place in the list of orphans, from 1; 0: not in it */
bool held[TAGS];	/* in the list of holders */
chan sq = [TAGS * 4] of { byte, byte, byte }; /* tag, generation; serial number of the submission */
chan cq = [TAGS * 4] of { byte, byte, byte };

/* The device. */
bool dev_lock;
mtype session = ABSENT;
byte served;   /* the session whose process has come to its end */
bool killed;   /* its process has been sent SIGKILL */
bool drained;  /* scuse_session_finish() may go on */

/* Commands. */
#ifdef ABORT_ONCE
bool marked[TAGS];
#endif
bool ended[COMMANDS];
bool aborted[COMMANDS];
bool stepped[COMMANDS]; /* the second submission has been made */
bool execute[COMMANDS]; /* START has taken its place holder away */

/* Books of the checks alone. */
byte serial[TAGS]; /* of the latest submission with this tag */
byte holder[TAGS]; /* number of the session whose process may touch the slot; 0: none */
bool has;	   /* the process has had a command */
byte newest;	   /* the latest session that has started */
byte pinned;	   /* I/O of a process that is gone is under way into its slots */
byte order[TAGS];  /* 0: the submission was handed out first, or parked, before the other tag's; 1: after it */
bool excused;	   /* a session has been revoked by a deadline, or the orphans' time was up */
byte finished;	   /* sessions that have been cleared away */
byte quiet;	   /* initiators that are done */

inline mutex_lock(lock)
{
	atomic { !lock; lock = true }
}

/* queue.lock is held. */
inline scuse_queue_drained()
{
	if
	:: draining && used == at_rest -> draining = false; drained = true
	:: else
	fi
}

/* scuse_tag_put() and the answer to the initiator; of a QUARANTINED tag only the answer. */
inline scuse_tag_end(tag, busy)
{
	atomic {
		assert(state[tag] != USER && state[tag] != FREE);
		assert(!ended[command[tag]]);
		assert(!(busy) || excused || aborted[command[tag]]);
		ended[command[tag]] = true;
		command[tag] = NONE;
		if
#ifdef FREE_QUARANTINED
		:: true ->
#else
		:: state[tag] == KERNEL ->
#endif
			state[tag] = FREE;
			used--;
			scuse_queue_drained()
		:: else
		fi
	}
}

/* queue.lock is held. */
inline scuse_publish(tag)
{
	assert(state[tag] == KERNEL);
	serial[tag]++;
	holder[tag] = newest;
	position[tag] = 1;
	position[OTHER(tag)] = 0;
	state[tag] = USER;
	sq!tag, generation[tag], serial[tag]
}

/* Its turn in the books: the latest so far. */
inline note_order(tag)
{
	order[tag] = 1;
	order[OTHER(tag)] = 0
}

/* The end of the list of orphans; queue.lock is held. */
inline scuse_orphan_add(tag)
{
	orphan[tag] = (orphan[OTHER(tag)] -> 2 : 1);
	at_rest++;
#ifndef REST_KEEPS_DRAIN
	scuse_queue_drained()
#endif
}

/* Its beginning. */
inline scuse_orphan_add_first(tag)
{
	orphan[tag] = 1;
	orphan[OTHER(tag)] = (orphan[OTHER(tag)] -> 2 : 0);
	at_rest++
}

inline scuse_orphan_out(tag)
{
	orphan[tag] = 0;
	orphan[OTHER(tag)] = (orphan[OTHER(tag)] -> 1 : 0);
	at_rest--
}

/* The first orphan, or NONE. */
inline scuse_orphan_first(tag)
{
	tag = (orphan[0] == 1 -> 0 : (orphan[1] == 1 -> 1 : NONE))
}

/* scuse_io_publish(): `published` */
inline scuse_io_publish(tag, replay)
{
	atomic {
		if
#ifdef NO_LIVE_CHECK
		:: newest ->
#else
		:: live || (replay && starting) ->
#endif
			if
			:: !(replay) -> note_order(tag)
			:: else
			fi;
			scuse_publish(tag);
			published = true
		:: else -> published = false
		fi
	}
}

/* scuse_io_again(): out, or at rest, or over. */
inline scuse_io_again(tag)
{
#ifndef NO_RENEW
	generation[tag]++;
#endif
	scuse_io_publish(tag, false);
	if
	:: published
	:: else ->
		atomic {
			if
#ifdef PARK_ONLY_PARKING
			:: parking && !aborted[command[tag]] ->
#else
			:: (parking || live) && !aborted[command[tag]] ->
#endif
				note_order(tag);
				scuse_orphan_add(tag);
				published = true
			:: else
			fi
		};
		if
		:: !published -> scuse_tag_end(tag, true)
		:: else
		fi
	fi
}

/* ---- initiators --------------------------------------------------------------------------------------- */

proctype Initiator(byte self)
{
	byte tag;
	bool published;

begin:
	/* scuse_tag_get(), or scuse_orphan_hold() if nobody serves the device */
	atomic {
		tag = (state[0] == FREE -> 0 : (state[1] == FREE -> 1 : NONE));
		assert(tag == NONE || !holder[tag]);
		if
		:: tag != NONE && live -> state[tag] = KERNEL; generation[tag]++; command[tag] = self; used++
		:: tag != NONE && !live && parking && !aborted[self] ->
			state[tag] = KERNEL; generation[tag]++; command[tag] = self; used++;
			held[tag] = true;
			at_rest++;
			tag = NONE
		:: else ->
			/* BUSY, or TASK SET FULL */
			assert(tag == NONE || excused || aborted[self]);
			ended[self] = true;
			goto out
		fi
	};
	if
	:: tag == NONE -> goto wait
	:: else
	fi;
	/* Data goes into the slot. */
	assert(!holder[tag]);
	scuse_io_publish(tag, false);
	if
	:: published
	:: else ->
		/* scuse_io_abandon(); scuse_execute() then lets the command wait, or begins again. */
		atomic {
			state[tag] = FREE;
			command[tag] = NONE;
			used--;
			scuse_queue_drained()
		};
		goto begin
	fi;
wait:
	if
	:: atomic { execute[self] -> execute[self] = false; goto begin }
	:: ended[self]
	fi;
out:
	quiet++
}

/* ---- completions -------------------------------------------------------------------------------------- */

inline scuse_queue_stop()
{
	parking = parking || live || starting;
	live = false;
	starting = false
}

/* scuse_session_revoke() */
inline scuse_session_revoke()
{
	if
	:: session == STARTED -> session = BROKEN; killed = true; scuse_queue_stop()
	:: else
	fi
}

/* scuse_complete(): the step function, or the end. */
inline scuse_complete(tag, busy)
{
	if
	:: command[tag] == 0 && !stepped[0] && !(busy) ->
		stepped[0] = true;
		scuse_io_again(tag)
	:: else -> scuse_tag_end(tag, busy)
	fi
}

/* scuse_take_entries() and scuse_claim(), under reap_lock; `claimed`: the tag, or NONE */
inline scuse_take_entry()
{
	atomic {
		claimed = NONE;
		if
		:: sess && session == STARTED && len(cq) > 0 ->
			cq?tag, gen, number;
			if
#ifdef NO_GENERATION
			:: state[tag] == USER -> claimed = tag
#else
			:: state[tag] == USER && gen == generation[tag] -> claimed = tag
#endif
			:: else -> scuse_session_revoke()
			fi
		:: else
		fi
#ifdef NO_REAP_LOCK
	};
	atomic {
#else
		;
#endif
		if
		:: claimed != NONE ->
			assert(number == serial[claimed] && state[claimed] == USER);
			state[claimed] = KERNEL;
			holder[claimed] = 0
		:: else
		fi;
		tag = 0;
		gen = 0;
		number = 0
	}
}

proctype Reaper()
{
	byte tag, gen, number, claimed;
	bool published;

end:	do
	:: sess && session == STARTED && len(cq) ->
		scuse_take_entry();
		if
		:: claimed != NONE -> scuse_complete(claimed, false)
		:: else
		fi;
		atomic { claimed = NONE; published = false }
	od
}

/* ---- workers ------------------------------------------------------------------------------------------ */

/* scuse_queue_replay(); dev_lock is held */
inline scuse_queue_replay()
{
	do
	:: atomic {
		scuse_orphan_first(tag);
		if
		:: tag != NONE && (live || starting) ->
			assert(!orphan[OTHER(tag)] || order[OTHER(tag)]);
			scuse_orphan_out(tag)
		:: tag == NONE && starting -> starting = false; parking = false; live = true
		:: else -> tag = NONE
		fi
	   };
		if
		:: tag == NONE -> break
		:: else
		fi;
		if
		:: aborted[command[tag]] -> scuse_tag_end(tag, true)
		:: else ->
			/* The slot is filled again. */
			assert(!holder[tag] && !pinned);
			generation[tag]++;
			scuse_io_publish(tag, true);
			if
			:: published
			:: else -> atomic { scuse_orphan_add_first(tag) }
			fi
		fi
	od;
}

/* The place holder of a command goes, and the command begins anew. */
inline scuse_holder_release(tag)
{
	held[tag] = false;
	at_rest--;
	used--;
	state[tag] = FREE;
	execute[command[tag]] = true;
	command[tag] = NONE
}

/* scuse_orphans_execute() */
inline scuse_orphans_execute()
{
	do
	:: atomic { live && held[0] -> scuse_holder_release(0) }
	:: atomic { live && held[1] -> scuse_holder_release(1) }
	:: atomic { !live || (!held[0] && !held[1]) -> break }
	od
}

/* scuse_queue_end() with scuse_orphans_adopt(): what userspace had waits, sorted, in front of what waits already. */
inline scuse_queue_end()
{
	atomic {
		sess = false;
		for (tag : 0 .. TAGS - 1) {
			if
			:: state[tag] == USER -> lost[tag] = true; state[tag] = KERNEL; holder[tag] = 0
			:: else
			fi
		}
	};
	/* scuse_orphans_adopt() */
	atomic {
		do
		:: parking ->
			/* The latest that is left goes in front of the others. */
			found = NONE;
			for (tag : 0 .. TAGS - 1) {
				if
#ifdef END_IN_ORDER_OF_TAGS
				:: lost[tag] && !aborted[command[tag]] -> found = tag
#else
				:: lost[tag] && !aborted[command[tag]] &&
				   (found == NONE || position[tag] > position[found]) -> found = tag
#endif
				:: else
				fi
			}
			if
			:: found == NONE -> break
			:: else -> scuse_orphan_add_first(found); lost[found] = false
			fi
		:: else -> break
		od;
		found = NONE
	};
	do
	:: lost[0] -> lost[0] = false; scuse_tag_end(0, true)
	:: lost[1] -> lost[1] = false; scuse_tag_end(1, true)
	:: !lost[0] && !lost[1] -> break
	od
}

inline scuse_queue_unquarantine()
{
	atomic {
		for (tag : 0 .. TAGS - 1) {
			if
			:: state[tag] == QUARANTINED -> state[tag] = FREE; holder[tag] = 0; used--
			:: else
			fi
		}
	}
}

/* The last session serves for good, unless something else ends what waits. */
#ifdef REVIEW
#define HONEST false
#else
#define HONEST (newest == SESSIONS)
#endif

/* With deadlines for aborted commands alone it does not crash either, so that a hang is one. */
#if defined(NO_COMMAND_TIMEOUT) || defined(ABORT_ONCE)
#define CRASHES false
#else
#define CRASHES true
#endif

/*
 * The worker's thread that serves, from STARTED on: completes what it has, or keeps it; with -DHOSTILE it completes
 * one twice.
 */
proctype Server(byte self)
{
	byte tag, gen, number;
#ifdef HOSTILE
	bool again;
#else
	bool again = true;
#endif

	do
	:: atomic {
		sq?tag, gen, number ->
			has = true;
			/* It may write: no newer session has begun. */
			assert(self == newest)
	   };
		if
		:: cq!tag, gen, number;
			if
			:: !again && !HONEST -> again = true; cq!tag, gen, number
			:: true
			fi
		:: !HONEST -> skip
		fi;
		atomic { tag = 0; gen = 0; number = 0 }
	:: killed || quiet == COMMANDS -> break
	:: !HONEST && CRASHES -> break
	od;
	/* It may be stuck in the kernel for a while, and write. */
	assert(self == newest);
	served = self
}

/* The last reference to the file is gone, and with it the process. */
inline scuse_session_release()
{
	mutex_lock(dev_lock);
	if
	:: pinned = has
	:: true
	fi;
	has = false;
	atomic { scuse_queue_stop() };
	do
	:: len(cq) && session == STARTED ->
		scuse_take_entry();
		if
		:: claimed != NONE -> scuse_complete(claimed, false)
		:: else
		fi
	:: else -> break
	od;
	scuse_queue_end();
	scuse_queue_unquarantine();
	atomic {
		session = ENDED;
		draining = true;
		scuse_queue_drained()
	};
	dev_lock = false
}

/* When nothing of the session is in the kernel's hands any more, and no I/O under way. */
inline scuse_session_finish()
{
	drained;
#ifndef NO_FENCE
	!pinned;
#endif
	mutex_lock(dev_lock);
	atomic {
		drained = false;
		do
		:: len(sq) -> sq?_, _, _
		:: len(cq) -> cq?_, _, _
		:: !len(sq) && !len(cq) -> break
		od;
		session = ABSENT;
		killed = false
	};
	dev_lock = false
}

proctype Worker(byte self)
{
	byte tag, gen, number, claimed, found;
	bool lost[TAGS];
	bool published;

	/* START; open has found no session */
	mutex_lock(dev_lock);
	atomic {
		session = STARTED;
		newest = self;
		sess = true;
		starting = true;
		parking = true;
		assert(!pinned);
		run Server(self)
	};
	scuse_queue_replay();
	dev_lock = false;
	scuse_orphans_execute();
#ifdef START_EARLY
	served == self || self < SESSIONS;
#else
	served == self;
#endif
	scuse_session_release();
	scuse_session_finish();
	finished++;
	if
	:: self < SESSIONS -> run Worker(self + 1)
	:: else
	fi
}

/* I/O of a process that is gone comes to its end. */
proctype Leftover()
{
end:	do
	:: pinned -> pinned = false
	od
}

/* ---- deadlines ---------------------------------------------------------------------------------------- */

/* A command whose time with userspace is up: any, or with FOREVER one that was aborted. */
#ifdef ABORT_ONCE
#define OVERDUE(tag) (state[tag] == USER && marked[tag])
#elif defined(NO_COMMAND_TIMEOUT)
#define OVERDUE(tag) (state[tag] == USER && aborted[command[tag]])
#else
#define OVERDUE(tag) (state[tag] == USER)
#endif

/* What has been taken out of a list, or quarantined, ends. */
inline end_taken(tag)
{
	if
	:: taken -> scuse_tag_end(tag, true)
	:: else
	fi
}

/* scuse_orphans_abort(): what waits and was given up ends. */
inline scuse_orphan_abort(tag)
{
	atomic {
		taken = false;
		if
		:: orphan[tag] && aborted[command[tag]] -> scuse_orphan_out(tag); taken = true
		:: held[tag] && aborted[command[tag]] -> held[tag] = false; at_rest--; taken = true
		:: else
		fi
	};
	end_taken(tag)
}

/* scuse_queue_quarantine(), of one tag: the process has been killed, and does not end. */
inline scuse_tag_quarantine(tag)
{
	atomic {
		if
		:: state[tag] == USER -> state[tag] = QUARANTINED; taken = true
		:: else -> taken = false
		fi
	};
	end_taken(tag)
}

#define WAITS(tag) ((orphan[tag] || held[tag]) && aborted[command[tag]])

/* scuse_orphan_work(): a step was parked when the queue had just turned live. */
proctype Late()
{
	byte tag;
	bool published;

end:	do
	:: atomic { live && (orphan[0] || orphan[1]) && !dev_lock -> dev_lock = true };
		scuse_queue_replay();
		atomic { dev_lock = false; tag = 0; published = false }
	od
}

proctype Watch()
{
	bool taken;

end:	do
	/* scuse_tag_look(): a CANCEL is not heeded in time */
	:: atomic {
		session == STARTED && !HONEST && (OVERDUE(0) || OVERDUE(1)) ->
			excused = true;
			scuse_session_revoke()
	   }
	:: WAITS(0) -> scuse_orphan_abort(0)
	:: WAITS(1) -> scuse_orphan_abort(1)
	/* scuse_revoke_overdue() */
	:: atomic {
		session == BROKEN && (state[0] == USER || state[1] == USER) && !dev_lock ->
			excused = true;
#ifndef NO_DEV_LOCK
			dev_lock = true
#endif
	   };
		scuse_tag_quarantine(0);
		scuse_tag_quarantine(1);
#ifndef NO_DEV_LOCK
		dev_lock = false
#endif
	od
}

inline scuse_orphan_flush(tag)
{
	atomic {
		taken = true;
		if
		:: orphan[tag] -> scuse_orphan_out(tag)
		:: held[tag] -> held[tag] = false; at_rest--
		:: else -> taken = false
		fi
	};
	end_taken(tag)
}

/* scuse_orphan_work(), scuse_queue_flush(): the time is up while nobody serves the device. */
proctype Review()
{
	bool taken;

end:	do
	:: atomic { parking && session != STARTED && !dev_lock -> dev_lock = true };
		atomic {
			excused = true;
			parking = false
		};
		scuse_orphan_flush(0);
		scuse_orphan_flush(1);
		dev_lock = false
	od
}

proctype Aborter()
{
	byte self, tag;

	for (self : 0 .. COMMANDS - 1) {
		atomic {
			aborted[self] = true;
#ifdef ABORT_ONCE
			/* It looks for it once, and gives what userspace has a deadline. */
			for (tag : 0 .. TAGS - 1) {
				marked[tag] = marked[tag] || (state[tag] == USER && command[tag] == self)
			}
#endif
		}
	}
}

init {
	byte i;

	atomic {
		for (i : 0 .. COMMANDS - 1) {
			run Initiator(i)
		}
		run Worker(1);
		run Reaper();
		run Leftover();
		run Watch();
#ifndef NO_LATE
		run Late();
#endif
#ifdef REVIEW
		run Review();
#endif
#ifdef ABORTS
		run Aborter();
#endif
	}
	quiet == COMMANDS && finished == SESSIONS;
	for (i : 0 .. COMMANDS - 1) { assert(ended[i]) }
	assert(state[0] == FREE && state[1] == FREE && !used && !at_rest && !draining)
}
