/* Close, count, exchange, undo and timer, as src/adapters/database/{journal,swap}.ts, src/commands/database/journal.ts and,
 * for the script on the host, src/commands/database/exchange.ts do them. Databases by oid: 0 is live at first, 1 takes its
 * place. Each transaction of the journal is one step, since its first statement locks the target's row; the timer's is not,
 * since it locks nothing where it opens nothing. docs/model.md says how to read this. */
#ifndef ATTEMPTS
#define ATTEMPTS 2 /* bound: attempts of the exchange at once */
#endif
#ifndef DEATHS
#define DEATHS 1   /* bound: attempts that die, or do not hear how a COMMIT ended */
#endif
#ifndef LATER
#define LATER 1    /* bound: later tokens, of a worker or of the script */
#endif
#ifndef TAKERDIES
#define TAKERDIES 0 /* bound: deaths of a taker between its token and its mending */
#endif
#ifndef UNDOES
#define UNDOES 1   /* bound: whether the exchange may be undone */
#endif
#ifndef WRITES
#define WRITES 1   /* bound: writes of the application */
#endif
#ifndef CLOSINGS
#define CLOSINGS 2 /* bound: closings */
#endif
#ifndef REBOOTS
#define REBOOTS 0  /* bound: timers that die with their host */
#endif

#ifndef TIMER
#define TIMER 2       /* rule: the timer opens by number (0: by name, 1: whatever is closed, 3: asks only once) */
#endif
#ifndef TIMERSTAYS
#define TIMERSTAYS 1  /* rule: the timer stays while its closing is closed, whatever token is in force */
#endif
#ifndef TIMERFIRST
#define TIMERFIRST 1  /* rule: the timer is armed before the close */
#endif
#ifndef RECOUNT
#define RECOUNT 1     /* rule: what was written is compared again behind the renames */
#endif
#ifndef CLOSEFENCE
#define CLOSEFENCE 1  /* rule: the close is conditional on the token */
#endif
#ifndef EPOCH
#define EPOCH 2       /* rule: the exchange is conditional on token and number of the closing (1: on the token, 0: on neither) */
#endif
#ifndef SEALED
#define SEALED 1      /* rule: an undo forbids its do first */
#endif
#ifndef MEND
#define MEND 1        /* rule: a taker opens what it finds closed */
#endif

/* stepback.door and stepback.operation */
bool closed, sealed;
byte closing, token = 1;
mtype = { PLANNED, SWAPPED, REVERTED }
mtype state = PLANNED;
/* the server: oid behind the live name, who may connect, what was written */
byte live;
bool allowed = true;
byte written[2];
/* one session of the application: inside its start, or there */
bool starting, present;
byte into;

byte deaths = DEATHS, writes = WRITES, reboots = REBOOTS, closings = CLOSINGS, takerDies = TAKERDIES;
bool done, undoing, taken;

active proctype Application() {
  do
  :: atomic { writes > 0 && allowed && !starting && !present -> into = live; starting = true }
  :: atomic { starting -> starting = false; present = true }
  :: atomic { present && writes > 0 -> writes--; written[into]++ }
  :: atomic { present -> present = false }
  :: break
  od
}

/* fires at any moment behind its arming */
proctype Timer(byte e; byte t) {
  bool vain;
endasks:
  if
  :: atomic { reboots > 0 -> reboots--; goto gone }
#if TIMER == 0
  :: atomic { allowed = true; goto gone }
#elif TIMER == 1
  :: atomic { if :: closed -> closed = false; allowed = true :: else fi; goto gone }
#else
  :: atomic { TIMER == 3 || closing >= e || token > t ->
       if
       :: closed && closing == e -> closed = false; allowed = true
       :: else
       fi }
  :: atomic { !vain && closing < e && token <= t -> vain = true } /* asks in vain: once is enough */
#endif
  fi;
#if TIMER == 3
  goto gone;
#endif
  /* its last statement, which sees what was committed since */
  atomic {
    if
#if TIMERSTAYS == 1
    :: closed && closing == e -> goto endasks
    :: !(closed && closing == e) && (closing >= e || token > t) -> goto gone
#else
    :: closing > e || (closing == e && !closed) || token > t -> goto gone
    :: !(closing > e || (closing == e && !closed) || token > t) -> goto endasks
#endif
    :: else -> goto endasks
    fi
  }
gone:
  skip
}

#define mayDie if :: atomic { deaths > 0 -> deaths--; goto begin } :: skip fi
#define openFor(back) ((!back && state == PLANNED && !(SEALED && sealed)) || (back && state == SWAPPED))

proctype Exchange(byte t; bool back) {
  byte e, counted;
  bool well;
begin:
  /* learn */
  atomic {
    e = 0; counted = 0; well = false;
    if
    :: token != t -> goto gone
    :: token == t && !openFor(back) ->
       /* a ghost of the do may have closed and died */
       if
       :: closed -> closed = false; closing++; allowed = true
       :: else
       fi;
       if
       :: !back && state == SWAPPED -> done = true
       :: else
       fi;
       goto gone
    :: token == t && openFor(back) && closings == 0 -> goto gone
    :: token == t && openFor(back) && closings > 0 -> closings--; e = closing + 1
    fi
  }
#if TIMERFIRST == 1
  run Timer(e, t);
#endif
  /* close */
  atomic {
    if
    :: (CLOSEFENCE == 0 || token == t) && (EPOCH < 2 || closing == e - 1) && openFor(back) && live == back ->
       assert(token == t); /* nobody closes without the lease */
       closed = true; closing = e; allowed = false; well = true
    :: else
    fi
  }
  if
  :: !well -> goto begin
  :: else
  fi;
  mayDie;
#if TIMERFIRST == 0
  run Timer(e, t);
#endif
  /* ends who is connected, until it sees nobody, and counts */
  do
  :: atomic { present -> present = false }
  :: atomic { !present -> break }
  od;
  counted = written[back];
  mayDie;
  /* the renames refuse while anyone is connected, one inside its start too */
  atomic {
    well = false;
    if
    :: closed && (EPOCH < 1 || token == t) && (EPOCH < 2 || closing == e) && openFor(back) && live == back &&
       !present && !starting && (RECOUNT == 0 || written[back] == counted) ->
       assert(written[back] == counted); /* nothing that nobody saw is put aside */
       assert(token == t);               /* a ghost exchanges nothing */
       assert(back || !undoing);         /* nor does the do behind the begin of its undo */
       live = 1 - back; closed = false; allowed = true; well = true;
       state = (back -> REVERTED : SWAPPED)
    :: else
    fi
  }
  mayDie;
  /* opens again what it could not exchange, by its own number */
  atomic {
    if
    :: !well && closed && closing == e && token == t -> closed = false; allowed = true
    :: else
    fi
  }
  if
  :: well && !back -> done = true
  :: well && back
  :: !well -> goto begin
  fi;
gone:
  skip
}

/* undoes behind the exchange, or gives it up while nobody knows how it ended */
proctype Undo() {
  if
  :: atomic { (done || deaths < DEATHS) && token == 1 -> undoing = true; sealed = true }
  :: atomic { taken -> goto gone }
  :: goto gone
  fi;
  run Exchange(1, true);
gone:
  skip
}

proctype Taker(byte t) {
begin:
  atomic { if :: token <= t -> token = t :: else -> goto gone fi }
  taken = true;
  do
  :: atomic { present -> present = false }
  :: atomic { !present -> break }
  od;
  if
  :: atomic { takerDies > 0 -> takerDies--; goto gone } /* and nobody tries again: the timer is what opens */
  :: skip
  fi;
#if MEND == 1
  atomic { if :: token == t && closed -> closed = false; closing++; allowed = true :: else fi }
#endif
gone:
  skip
}

init {
  byte i;
  atomic {
    do
    :: i < ATTEMPTS -> run Exchange(1, false); i++
    :: else -> break
    od;
    if
    :: UNDOES -> run Undo()
    :: else
    fi;
    i = 0;
    do
    :: i < LATER -> i++; run Taker(i + 1)
    :: else -> break
    od
  }
  timeout;
  /* all is at rest */
  assert(allowed);                      /* never closed for ever */
  assert(live == (state == SWAPPED));   /* name and journal agree */
}
