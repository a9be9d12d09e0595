/* Ledger and debts, as src/host/ledger.sh, src/plan/ledger.ts, src/activities/{act,lease}.ts, src/workflows/{run,walk}.ts
 * and, for the script on the host, src/host/restore.sh keep them. That no effect of a token follows the return of a later
 * one's take-over is taken from lease.pml. Runs take the tokens 1, 2, ... in their order. docs/model.md says how to read this. */
#define DEPLOY 0
#define ROLLBACK 1
#define SCRIPT 2
#define GUARD 3
#ifndef RUNS
#define RUNS 3   /* bound: runs */
#endif
#ifndef K0
#define K0 DEPLOY /* bound: what the first run is (0 deploy, 1 rollback, 2 script, 3 guard) */
#endif
#ifndef K1
#define K1 DEPLOY /* bound: what the second run is */
#endif
#ifndef K2
#define K2 DEPLOY /* bound: what the third run is */
#endif
#ifndef STEPS
#define STEPS 2  /* bound: steps of a run */
#endif
#ifndef CLOSES
#define CLOSES 2 /* bound: runs that are terminated or killed */
#endif
#ifndef RESETS
#define RESETS 0 /* bound: whether the second run is the first one, reset */
#endif

#ifndef LFENCE
#define LFENCE 1     /* rule: an entry of a smaller token behind a greater one's is void */
#endif
#ifndef ORDER
#define ORDER 0      /* rule: the start of a step is in the ledger before its job (1: behind it) */
#endif
#ifndef ENDFIRST
#define ENDFIRST 1   /* rule: the end of a run is in the ledger before the lease goes back */
#endif
#ifndef CLOSELAST
#define CLOSELAST 1  /* rule: a debt is closed behind its undos */
#endif
#ifndef NEWESTFIRST
#define NEWESTFIRST 1 /* rule: the newest debt is undone first */
#endif
#ifndef KEPTASKS
#define KEPTASKS 1   /* rule: where a person keeps what a debt did, nothing below it is undone unasked */
#endif
#ifndef RESET
#define RESET 3      /* rule: a reset run starts over (1: goes on under the old token, 2: undoes, and goes on behind its steps) */
#endif
#ifndef SCRIPTPLAN
#define SCRIPTPLAN 1 /* rule: the script writes a plan before its first change */
#endif
#ifndef SCRIPTLAST
#define SCRIPTLAST 1 /* rule: the script's end settles others' debts (0: it closes them before its changes, 2: before its end) */
#endif
#ifndef GOESON
#define GOESON 1     /* rule: a script goes on with an earlier start only where that has no end */
#endif

#define I(r, s) ((r) * STEPS + (s))
#define HALF 99

/* the target: 0 as at first, r + 1 as run r leaves it */
byte is[STEPS], base[STEPS];
/* the lease */
byte top, swept;
/* the ledger: the greatest token, and the entries in force */
byte high;
bool plan[RUNS], start[RUNS * STEPS], end_[RUNS], closedDebt[RUNS];
byte before[RUNS * STEPS];
/* jobs that run, of each token; how far a run is in its history */
bool busy[RUNS + 1];
byte pos[RUNS];
bool gone[RUNS], fenced[RUNS], released[RUNS];
byte closes = CLOSES;
byte kind[3] = { K0, K1, K2 };

#define asks(q) ((kind[q] == SCRIPT && start[I(q, 0)]) || (kind[q] == ROLLBACK && start[I(q, STEPS - 1)]))
#define open(q) (plan[q] && !end_[q] && !closedDebt[q])

/* two effects; a take-over ends it */
proctype Job(byte s; byte v; byte t) {
  atomic {
    if
    :: swept > t || !busy[t] -> goto ended
    :: else -> if :: is[s] != v -> is[s] = HALF :: else fi
    fi
  }
  atomic {
    if
    :: swept > t || !busy[t] -> goto ended
    :: else -> is[s] = v; busy[t] = false
    fi
  }
ended:
  skip
}

/* the helper reads back what it wrote: behind a greater token it is void; any pause may come before, so a run that is gone
 * may write once more */
#if LFENCE == 1
#define fence(r) if :: high > t -> fenced[r] = true; goto stop :: else -> high = t fi
#else
#define fence(r) high = (t > high -> t : high)
#endif
#define alive(r) if :: gone[r] -> goto stop :: else fi
#define append(r, entry) atomic { fence(r); entry; alive(r) }
#define begin(r, s, v) if :: swept <= t -> busy[t] = true; run Job(s, v, t) :: else -> fenced[r] = true; goto stop fi
#define await(r) (!busy[t] || swept > t); if :: swept > t -> fenced[r] = true; goto stop :: else fi; alive(r)

inline job(s, v) {
  atomic { begin(r, s, v) };
  atomic { await(r) }
}

inline kept() {
  atomic { s = 0; do :: s < STEPS -> if :: swept == t -> base[s] = is[s] :: else fi; s++ :: else -> break od; s = 0 }
}

inline expectBase() {
  atomic { s = 0; do :: s < STEPS -> assert(swept != t || is[s] == base[s]); s++ :: else -> break od; s = 0 }
}

/* the one entry that ends a run */
inline ending() {
  end_[r] = true;
  n = 0;
  do
  :: n < STEPS -> base[n] = value; n++
  :: else -> break
  od;
  n = 0;
  do
  :: n < r && kind[r] == SCRIPT && SCRIPTLAST == 1 -> if :: open(n) -> closedDebt[n] = true :: else fi; n++
  :: else -> break
  od
}

proctype Run(byte r) {
  byte t = r + 1, s, q, n, value = r + 1;
  bool undoes, keeps, again;
  /* of the same restore point as the one before it: a script that is started again goes on */
  atomic {
    if
    :: r > 0 && kind[r] == SCRIPT -> again = (kind[r - 1] == SCRIPT)
    :: else
    fi;
    if
    :: again -> value = r
    :: else
    fi
  }
#if RESETS && RESET == 1
  if
  :: r == 1 -> atomic { gone[0] || released[0] || fenced[0]; if :: gone[0] && plan[0] && !end_[0] -> t = 1; s = pos[0] :: else -> gone[1] = true; goto stop fi }; goto walk
  :: else
  fi;
#endif
  /* a rollback takes over what waits at a gate, a script what was not renewed: their holders may live */
  atomic {
    r == 0 || (top + (RESETS && RESET == 1) >= r && (gone[r - 1] || fenced[r - 1] || released[r - 1] ||
    (kind[r] == ROLLBACK && (kind[r - 1] == DEPLOY || kind[r - 1] == GUARD)) || (kind[r] == SCRIPT && kind[r - 1] != SCRIPT)));
    top = t
  }
  atomic { if :: swept < t -> swept = t :: else fi; n = 0; do :: n < t -> busy[n] = false; n++ :: else -> break od; n = 0 };
  append(r, skip); /* acquired */

  if
  :: kind[r] == SCRIPT -> goto plans
  :: else
  fi;
  q = (NEWESTFIRST -> r : 0);
  do
  :: (NEWESTFIRST && q == 0) || (!NEWESTFIRST && q == r) -> break
  :: else ->
     if
     :: NEWESTFIRST -> q--
     :: else
     fi;
     atomic {
       n = open(q);
       undoes = true;
       if
       :: n && (asks(q) || (KEPTASKS && keeps)) -> if :: undoes = true :: undoes = false fi
       :: else
       fi
     }
     if
     :: n && !undoes -> kept(); append(r, closedDebt[q] = true); keeps = true
     :: n && undoes ->
#if CLOSELAST == 0
        append(r, closedDebt[q] = true);
#endif
        s = STEPS;
        do
        :: s > 0 ->
           s--;
           if
           :: start[I(q, s)] -> assert(!released[q]); job(s, before[I(q, s)])
           :: else
           fi
        :: else -> break
        od;
        /* a person chose what becomes of all that lies below what was kept */
        if
        :: KEPTASKS && keeps -> kept()
        :: else
        fi;
#if CLOSELAST == 1
        append(r, closedDebt[q] = true)
#endif
     :: !n
     fi;
     if
     :: !NEWESTFIRST -> q++
     :: else
     fi
  od;
  q = 0; n = 0; undoes = false; keeps = false;
  expectBase();
  if
  :: kind[r] == GUARD || r == RUNS - 1 -> goto ends
  :: else
  fi;

plans:
  /* what is there, as a restore point has it; a script that goes on has the one of its first start */
  if
  :: !(kind[r] == SCRIPT && !SCRIPTPLAN) ->
     atomic {
       s = 0;
       do
       :: s < STEPS ->
          if
          :: again -> n = plan[r - 1] && !(GOESON && end_[r - 1])
          :: else -> n = 0
          fi;
          if
          :: n == 1 -> before[I(r, s)] = before[I(r - 1, s)]
          :: else -> before[I(r, s)] = is[s]
          fi;
          s++
       :: else -> break
       od;
       s = 0; n = 0
     }
     append(r, plan[r] = true)
  :: else
  fi;
  if
  :: kind[r] == SCRIPT && SCRIPTPLAN -> append(r, start[I(r, 0)] = true; start[I(r, STEPS - 1)] = true)
  :: else
  fi;
#if SCRIPTLAST == 0
  if
  :: kind[r] == SCRIPT -> q = 0; do :: q < r -> if :: open(q) -> append(r, closedDebt[q] = true) :: else fi; q++ :: else -> break od; q = 0
  :: else
  fi;
#endif
#if RESETS && RESET == 2
  if
  :: r == 1 -> s = pos[0]
  :: else
  fi;
#endif

walk:
  do
  :: s < STEPS ->
     if
     :: kind[r] == SCRIPT -> job(s, value)
#if ORDER == 0
     :: kind[r] != SCRIPT -> append(r, start[I(r, s)] = true); job(s, r + 1)
#else
     :: kind[r] != SCRIPT ->
        atomic { begin(r, s, r + 1) };
        append(r, start[I(r, s)] = true);
        atomic { await(r) }
#endif
     fi;
     s++;
     pos[r] = s;
     if
     :: skip
     :: r == 0 && kind[r] != SCRIPT -> goto undo
     fi
  :: else -> break
  od;
  if
  :: kind[r] == SCRIPT && SCRIPTLAST == 2 ->
     q = 0;
     do
     :: q < r -> if :: open(q) -> append(r, closedDebt[q] = true) :: else fi; q++
     :: else -> break
     od
  :: else
  fi;
#if ENDFIRST == 0
  released[r] = true;
#endif
  append(r, ending());
  atomic { s = 0; do :: s < STEPS -> assert(swept != t || is[s] == value); s++ :: else -> break od };
  goto ends;

undo:
  do
  :: s > 0 -> s--; job(s, before[I(r, s)])
  :: else -> break
  od;
  append(r, end_[r] = true);
ends:
  released[r] = true;
stop:
  skip
}

proctype World() {
  byte q;
  do
  :: atomic { closes > 0 -> closes--; select(q: 0 .. RUNS - 2); if :: !released[q] -> gone[q] = true :: else fi; q = 0 }
  :: break
  od
}

init {
  byte r;
  atomic { do :: r < RUNS -> run Run(r); r++ :: else -> break od; run World() }
  _nr_pr == 1;
  assert(released[RUNS - 1] || gone[RUNS - 1])
}
